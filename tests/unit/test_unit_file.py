"""What systemd/ and docs/operating.md promise where no test can start it."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
NGINX = ROOT / "docker" / "nginx.conf"
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def unit() -> dict[str, list[str]]:
    told = defaultdict(list)
    for line in (ROOT / "systemd" / "cds-service.service").read_text(encoding="utf-8").splitlines():
        name, parted, value = line.partition("=")
        if parted and not line.startswith("#"):
            told[name].append(value)
    return told


UNIT = unit()


def test_the_proxy_finds_the_socket() -> None:
    (command,) = UNIT["ExecStart"]
    path = command.rpartition("--socket ")[2]
    assert f"server unix:{path};" in NGINX.read_text(encoding="utf-8")
    assert UNIT["RuntimeDirectory"] == [Path(path).parent.name]


def test_the_database_is_its_own_alone() -> None:
    """Comments on feedback may name a patient."""
    assert UNIT["WorkingDirectory"] == [f"/var/lib/{UNIT['StateDirectory'][0]}"]
    assert UNIT["StateDirectoryMode"] == ["0700"]
    assert UNIT["UMask"] == ["0077"]
    assert UNIT["LimitCORE"] == ["0"]


def test_it_is_started_again_however_it_ended_and_as_often() -> None:
    """A database that is not there yet ends it with the code of a faulty setting."""
    assert UNIT["Restart"] == ["always"]
    assert UNIT["StartLimitIntervalSec"] == ["0"]


def test_no_line_of_the_log_is_dropped_for_being_one_of_many() -> None:
    assert UNIT["LogRateLimitIntervalSec"] == ["0"]


def test_debians_nginx_opens_no_plain_port_to_the_network() -> None:
    edit = re.search(r"^ +(sed '.*?') docker/nginx\.conf >", OPERATING, re.DOTALL | re.MULTILINE)
    assert edit
    command = ["sed", edit[1].removeprefix("sed '").removesuffix("'"), str(NGINX)]
    edited = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^ *listen (.*);", edited, re.MULTILINE) == ["127.0.0.1:8080"]
    assert "pid /run/nginx.pid;" in edited
    assert "/dev/" not in edited
