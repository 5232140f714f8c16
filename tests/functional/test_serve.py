"""`cds-service serve` as an operator starts it: gunicorn, two workers, a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from cds_service.store.store import Store
from tests.support import tokens

ROOT = Path(__file__).parents[2]
ISSUER_C = "https://ehr-c.example.org"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    database = f"sqlite:///{tmp_path / 'store.sqlite'}"
    return kept | {"PYTHONPATH": str(ROOT), "CDS_DATABASE_URL": database, "CDS_DEVELOPMENT": "true"}


@pytest.fixture
def served(environment, tmp_path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with serving(environment, tmp_path, "-m", "cds_service.cli") as running:
        yield running


@contextmanager
def serving(
    environment, tmp_path, *program: str, arguments: tuple[str, ...] = ()
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [sys.executable, *program, "serve", "--port", str(port), "--workers", "2", *arguments]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=log)
        yield f"http://127.0.0.1:{port}", process
        process.kill()
        process.wait()


def wait_until_ready(base: str) -> requests.Response:
    until = time.monotonic() + 30
    while True:
        try:
            return requests.get(f"{base}/readyz", timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.1)


def test_it_serves_and_ends_cleanly(served):
    base, process = served
    assert wait_until_ready(base).json()["status"] == "ready"
    with requests.post(f"{base}/cds-services/order-sign", json={}, timeout=5) as refused:
        assert refused.status_code == 400
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_cards_that_wait_to_be_written_are_written_at_the_end(environment, tmp_path):
    slowly = "import sys; from cds_service import cli; from cds_service.store import outbox; outbox.GATHER_S = 600; "
    order = json.loads((ROOT / "fixtures/requests/01-clopidogrel-acs-poor-metaboliser.json").read_text())
    with serving(environment, tmp_path, "-c", slowly + "sys.exit(cli.main(sys.argv[1:]))") as (base, process):
        wait_until_ready(base)
        with requests.post(f"{base}/cds-services/{order['hook']}", json=order, timeout=10) as answered:
            uuids = {card["uuid"] for card in answered.json()["cards"]}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    store = Store(environment["CDS_DATABASE_URL"])
    assert uuids
    assert {row["uuid"] for row in store.issued()} == uuids
    store.close()


def test_wrong_settings_stop_the_start_with_every_fault(environment):
    command = [sys.executable, "-m", "cds_service.cli", "serve"]
    faulty = environment | {"CDS_LOG_LEVEL": "loud", "CDS_DEVELOPMENT": "maybe"}
    ended = subprocess.run(command, env=faulty, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "CDS_LOG_LEVEL" in ended.stderr
    assert "CDS_DEVELOPMENT" in ended.stderr
    assert "Traceback" not in ended.stderr


def ended(environment, *arguments):
    command = [sys.executable, "-m", "cds_service.cli", "serve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_without_clients_it_serves_nobody_unless_in_development(environment):
    del environment["CDS_DEVELOPMENT"]
    stopped = ended(environment, "--port", str(free_port()))
    assert stopped.returncode == 2
    assert "CDS_CLIENTS" in stopped.stderr
    assert "Traceback" not in stopped.stderr


@pytest.mark.parametrize("with_clients", [False, True])
def test_development_is_for_this_machine_alone(environment, tmp_path, with_clients):
    if with_clients:
        environment["CDS_CLIENTS"] = str(tokens.clients_file(tmp_path))
        environment["CDS_PUBLIC_URL"] = tokens.PUBLIC_URL
    stopped = ended(environment, "--host", "0.0.0.0", "--port", str(free_port()))
    assert stopped.returncode == 2
    assert "loopback" in stopped.stderr


def test_a_faulty_file_of_clients_stops_the_start(environment, tmp_path):
    clients = tokens.clients_file(tmp_path, tokens.entry_a(keys="missing.json"))
    del environment["CDS_DEVELOPMENT"]
    given = environment | {"CDS_CLIENTS": str(clients), "CDS_PUBLIC_URL": tokens.PUBLIC_URL}
    stopped = ended(given, "--port", str(free_port()))
    assert stopped.returncode == 2
    assert "missing.json" in stopped.stderr
    assert "Traceback" not in stopped.stderr


@pytest.mark.parametrize("with_clients", [False, True])
def test_development_warns_at_the_start_whatever_the_level(environment, tmp_path, with_clients):
    environment["CDS_LOG_LEVEL"] = "ERROR"
    if with_clients:
        environment["CDS_CLIENTS"] = str(tokens.clients_file(tmp_path))
        environment["CDS_PUBLIC_URL"] = tokens.PUBLIC_URL
    program = "import cds_service.wsgi as w; print(w.application.test_client().get('/cds-services').status_code)"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    (told,) = map(json.loads, ran.stderr.splitlines())
    assert ran.stdout.strip() == ("401" if with_clients else "200")
    assert told["event"] == "development_mode"
    assert "plain http is allowed" in told["message"]
    assert ("callers are not authenticated" in told["message"]) is not with_clients


@pytest.fixture
def guarded(environment, tmp_path):
    """In production, before two workers."""
    del environment["CDS_DEVELOPMENT"]
    environment["CDS_CLIENTS"] = str(tokens.clients_file(tmp_path))
    environment["CDS_PUBLIC_URL"] = tokens.PUBLIC_URL


def test_workers_share_what_was_used_and_write_json(guarded, served, tmp_path):
    base, _process = served
    wait_until_ready(base)
    url = f"{base}/cds-services"
    for _ in range(5):
        headers = {"Authorization": tokens.ES384.bearer(path="/cds-services")}
        statuses = [requests.get(url, headers=headers, timeout=5).status_code for _ in range(8)]
        assert sorted(statuses) == [200] + [401] * 7
    answers = [raw(base, line) for line in BROKEN]
    assert all(answer.startswith(b"HTTP/1.1 4") for answer in answers)
    assert not any(b"zzcanary" in answer.lower() for answer in answers)
    written = (tmp_path / "log").read_text()
    assert "zzcanary" not in written.lower()
    assert all(json.loads(line)["event"] for line in written.splitlines())


def discovers(base: str, signer=tokens.ES384, **changes) -> int:
    headers = {"Authorization": signer.bearer(path="/cds-services", **changes)}
    return requests.get(f"{base}/cds-services", headers=headers, timeout=10).status_code


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def worker_ids(folder: Path) -> list[int]:
    started = "Booting worker with pid: "
    events = [line["event"] for line in log_of(folder)]
    return [int(event.removeprefix(started)) for event in events if event.startswith(started)]


def wait_for(condition) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_file_of_clients_is_read_again_and_a_faulty_one_is_not_in_force(guarded, environment, served, tmp_path):
    base, process = served
    wait_until_ready(base)
    clients = Path(environment["CDS_CLIENTS"])
    good = clients.read_text()
    assert discovers(base, iss=ISSUER_C) == 401

    clients.write_text(good + f"- name: ehr-c\n  issuer: {ISSUER_C}\n  keys: missing.json\n")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: [line for line in log_of(tmp_path) if line["level"] == "ERROR"])
    (told,) = [line for line in log_of(tmp_path) if line["level"] == "ERROR"]
    assert told["fault"] == "SettingsError"
    assert "ehr-c: keys: missing.json" in told["message"]
    time.sleep(1)
    assert [discovers(base) for _ in range(4)] == [200] * 4
    assert len(worker_ids(tmp_path)) == 2, "the workers are those of before"

    clients.write_text(good + f"- name: ehr-c\n  issuer: {ISSUER_C}\n  keys: a.json\n")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: discovers(base, iss=ISSUER_C) == 200)
    assert discovers(base) == 200
    assert process.poll() is None
    serving = [line for line in log_of(tmp_path) if line["event"] == "serving"]
    assert [line["clients"] for line in serving] == [["ehr-a", "ehr-b"], ["ehr-a", "ehr-b", "ehr-c"]]
    ready = requests.get(f"{base}/readyz", timeout=5).json()
    for line in serving:
        assert (line["version"], line["knowledge_version"]) == (ready["version"], ready["knowledge"]["version"])
        assert (line["knowledge"], line["policy"]) == (ready["knowledge"]["hash"], ready["policy"]["hash"])


def test_a_worker_that_dies_beside_a_faulty_file_and_without_a_database_is_replaced(
    guarded, environment, tmp_path, request
):
    folder = tmp_path / "database"
    folder.mkdir()
    environment["CDS_DATABASE_URL"] = f"sqlite:///{folder / 'store.sqlite'}"
    base, process = request.getfixturevalue("served")
    wait_until_ready(base)
    wait_for(lambda: len(worker_ids(tmp_path)) == 2)
    Path(environment["CDS_CLIENTS"]).write_text("clients: [")
    folder.rename(tmp_path / "away")
    for worker in worker_ids(tmp_path):
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: len(worker_ids(tmp_path)) == 4)
    wait_for(lambda: requests.get(f"{base}/readyz", timeout=10).status_code == 503)
    assert discovers(base) == 503
    (tmp_path / "away").rename(folder)
    assert [discovers(base) for _ in range(4)] == [200] * 4
    assert process.poll() is None


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/set.json"


def test_who_knows_an_issuer_whose_address_is_slow_holds_up_no_other_client(environment, tmp_path, silent):
    entries = (tokens.entry_a(keys="", jku=silent), tokens.entry_b())
    environment["CDS_CLIENTS"] = str(tokens.clients_file(tmp_path, *entries))
    environment["CDS_PUBLIC_URL"] = tokens.PUBLIC_URL
    ends = threading.Event()

    def attack() -> None:
        while not ends.wait(0.1):
            assert discovers(base, headers={"kid": uuid4().hex}) == 401

    with serving(environment, tmp_path, "-m", "cds_service.cli") as (base, _process), ThreadPoolExecutor(16) as pool:
        wait_until_ready(base)
        attacks = [pool.submit(attack) for _ in range(16)]
        took = [timed(lambda: discovers(base, tokens.OF_B, iss=tokens.ISSUER_B)) for _ in range(25)]
        ends.set()
        assert not any(attack.exception() for attack in attacks)
    assert [status for status, _ in took] == [200] * 25
    assert max(seconds for _, seconds in took) < 1.2


def timed(act: Callable[[], int]) -> tuple[int, float]:
    began_s = time.monotonic()
    return act(), time.monotonic() - began_s


BROKEN = [
    b"GET /zzcanary?zzcanary HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer zzcanary\x00\r\n\r\n",
    b"GET /zzcanary HTTP/1.1\r\nHost: x\r\nzzcanary header: zzcanary\r\n\r\n",
    b"GET /zzcanary zzcanary\r\nHost: x\r\n\r\n",
    b"zzcanary{ / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"zzcanary" * 2000 + b"\r\n\r\n",
    b"GET /" + b"zzcanary" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /cds-services/order-sign HTTP/1.1\r\nHost: x\r\nContent-Length: zzcanary\r\n\r\n",
    b"POST /cds-services/order-sign HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET /cds-services HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /zzcanary\r\n\r\n",
]


def test_no_header_says_where_the_service_is(guarded, served):
    base, _process = served
    wait_until_ready(base)
    bearer = tokens.ES384.bearer(path="/cds-services")
    for name in ("SCRIPT_NAME: /zz", "PATH_INFO: /cds-services", "REMOTE_USER: zz"):
        request = f"GET /zz/cds-services HTTP/1.1\r\nHost: x\r\n{name}\r\nAuthorization: {bearer}\r\n\r\n"
        assert raw(base, request.encode()).startswith(b"HTTP/1.1 401")
    for scheme in ("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off", "X-Forwarded-For: 10.0.0.7"):
        request = f"GET /cds-services HTTP/1.1\r\nHost: x\r\n{scheme}\r\nConnection: close\r\n\r\n"
        assert raw(base, request.encode()).startswith(b"HTTP/1.1 401")


def raw(base: str, content: bytes) -> bytes:
    """The whole answer to bytes that no HTTP library would send."""
    with socket.create_connection(("127.0.0.1", int(base.rsplit(":", 1)[1])), timeout=5) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


CALL_BY_A_SOCKET = (
    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    "s.sendall(sys.stdin.buffer.read()); sys.stdout.buffer.write(s.makefile('rb').read())"
)


def test_a_proxy_may_call_by_a_socket(guarded, environment, tmp_path):
    path = str(tmp_path / "http.sock")
    for _ in range(2):  # the second time it is there already
        with serving(environment, tmp_path, "-m", "cds_service.cli", arguments=("--socket", path)) as (
            base,
            _process,
        ):
            wait_until_ready(base)
            for headers, status in (
                ("", b"401"),
                (f"Authorization: {tokens.ES384.bearer(path='/cds-services')}\r\n", b"200"),
                ("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nSCRIPT_NAME: /zz\r\n", b"401"),
            ):
                request = f"GET /cds-services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
                command = [sys.executable, "-c", CALL_BY_A_SOCKET, path]  # the tests' own may not leave loopback
                called = subprocess.run(command, input=request.encode(), capture_output=True, timeout=30, check=True)
                assert called.stdout.startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql+pg8000://u:hidden@127.0.0.1/x",
            "CDS_DATABASE_URL: the driver 'pg8000' is not installed; requirements/image.txt brings psycopg",
        ),
        ("sqlite:///{folder}/old.sqlite", "CDS_DATABASE_URL: the tables were made by another version of the service"),
    ],
)
def test_a_store_that_cannot_be_used_stops_the_start(environment, tmp_path, url, told):
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as made:
        made.execute("CREATE TABLE feedback (digest TEXT PRIMARY KEY, card TEXT)")
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(free_port())]
    environment = environment | {"CDS_DATABASE_URL": url.format(folder=tmp_path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hidden" not in ended.stderr


def test_a_fault_elsewhere_stops_the_start_before_tables_are_made(environment, tmp_path):
    (tmp_path / "policy.yaml").write_text("colour: red")
    stopped = ended(environment | {"CDS_POLICY": str(tmp_path / "policy.yaml")}, "--port", str(free_port()))
    assert (stopped.returncode, stopped.stdout) == (2, "")
    assert stopped.stderr == "cds-service: policy.yaml: colour: no such key, found 'red'\n"
    assert not [*tmp_path.glob("*.sqlite*")]


@pytest.mark.parametrize("kind", ["no folder", "read-only"])
def test_a_store_that_keeps_nothing_stops_the_start(environment, tmp_path, kind):
    database = tmp_path / "nowhere" / "store.sqlite"
    if kind == "read-only":
        database = tmp_path / "store.sqlite"
        with closing(sqlite3.connect(database)) as made:
            made.execute("CREATE TABLE used_token (digest TEXT PRIMARY KEY, expires_at_s INTEGER NOT NULL)")
    url = f"sqlite:///{database}" if kind == "no folder" else f"sqlite:///file:{database}?mode=ro&uri=true"
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(free_port())]
    ended = subprocess.run(
        command, env=environment | {"CDS_DATABASE_URL": url}, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert f"CDS_DATABASE_URL: expected a database that can be opened and written: {database}: " in ended.stderr
    assert "Traceback" not in ended.stderr
