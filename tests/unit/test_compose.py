"""What docker/ promises where no test can start it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pytest_httpserver import HTTPServer

from cds_service import cli

FOLDER = Path(__file__).parents[2] / "docker"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
NGINX = (FOLDER / "nginx.conf").read_text(encoding="utf-8")


def test_either_may_be_started_again_without_the_other() -> None:
    """Docker leaves who shares a container's network in the old one when that container is started again."""
    path = "/run/cds-service"
    assert not any("network_mode" in service for service in SERVICES.values())
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert f"socket:{path}" in SERVICES["cds-service"]["volumes"]
    assert f"socket:{path}:ro" in SERVICES["nginx"]["volumes"]
    assert f"{path}/http.sock" in SERVICES["cds-service"]["command"]
    assert f"server unix:{path}/http.sock;" in (FOLDER / "nginx.conf").read_text(encoding="utf-8")


def test_nginx_owns_its_folder_also_when_it_is_started_again() -> None:
    """Older versions of runc take the folder's mode from the container then, 0755, but leave its owner."""
    nginx = SERVICES["nginx"]
    (folder,) = nginx["tmpfs"]
    assert folder.startswith(f"/run/nginx:uid={nginx['user']},")


def test_its_volumes_are_not_those_of_another_folder_named_docker() -> None:
    assert COMPOSE["name"] == "cds-service"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_the_service_and_no_proxy(httpserver: HTTPServer, status: int, code: int) -> None:
    """Docker sets the proxies of its own configuration in each container."""
    httpserver.expect_request("/healthz").respond_with_data(status=status)
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", image, re.DOTALL | re.MULTILINE)
    assert found
    _, *command = json.loads(found[1].replace("8000", str(httpserver.port)))
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY"), "http://127.0.0.1:9")
    asked = subprocess.run([sys.executable, *command], env=os.environ | proxies, capture_output=True, check=False)
    assert asked.returncode == code


def nginx_number(name: str) -> int:
    (found,) = re.findall(rf"^ +{name} (\d+)s?;|^{name} (\d+);", NGINX, re.MULTILINE)
    return int("".join(found))


def test_nginx_may_open_the_files_of_all_its_connections() -> None:
    assert nginx_number("worker_rlimit_nofile") >= 2 * nginx_number("worker_connections")


def test_nginx_lets_go_of_connections_before_gunicorn_does() -> None:
    upstream = NGINX.partition("upstream cds_service {")[2].partition("}")[0]
    (kept,) = re.findall(r"keepalive_timeout (\d+)s;", upstream)
    (by_gunicorn,) = re.findall(r'"keepalive": (\d+),', Path(cli.__file__).read_text(encoding="utf-8"))
    assert int(kept) < int(by_gunicorn)


def test_logs_do_not_fill_the_disk() -> None:
    for service in SERVICES.values():
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys()


def test_no_container_has_rights_that_it_does_not_need() -> None:
    for service in SERVICES.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_overrides_the_settings_of_the_site() -> None:
    """Compose's `environment` wins over `env_file`, and a setting of the image contradicts its `CDS_..._FILE`."""
    image = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert [*SERVICES["cds-service"]["environment"]] == ["CDS_DEVELOPMENT"]
    assert "CDS_" not in image
