"""`cds-service seed`: the made-up patients, on a server for tests and nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service import cli
from cds_service.commands.seeding import fixture_folder, read_records

Seed = Callable[..., tuple[int, str, str]]


class Store:
    """A FHIR server's memory: PUT and transactions, or PUT alone."""

    def __init__(self, *, transactions: bool) -> None:
        self.resources: dict[str, Any] = {}
        self.order: list[str] = []
        self.transactions = transactions

    def answer(self, request: Request) -> Response:
        body = request.get_json()
        if request.method == "POST":
            if not self.transactions:
                return Response("", status=405)
            statuses = [self.put(entry["request"]["url"], entry["resource"]) for entry in body["entry"]]
            entries = [{"response": {"status": f"{status} told"}} for status in statuses]
            return _json({"resourceType": "Bundle", "type": "transaction-response", "entry": entries}, 200)
        return _json(body, self.put(request.path.removeprefix("/fhir/"), body))

    def put(self, address: str, resource: Any) -> int:
        assert address == f"{resource['resourceType']}/{resource['id']}"
        status = 200 if address in self.resources else 201
        self.resources[address] = resource
        self.order.append(address)
        return status


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/fhir+json")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Seed:
    """Runs the command and gives its exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        ended = cli.main(["seed", *arguments])
        out, err = capsys.readouterr()
        return ended, out, err

    return call


def serve(httpserver: HTTPServer, *, transactions: bool = True) -> tuple[Store, str]:
    store = Store(transactions=transactions)
    for path in ("/fhir", "/fhir/"):
        httpserver.expect_request(path, method="POST").respond_with_handler(store.answer)
    httpserver.expect_request(re.compile("/fhir/.+"), method="PUT").respond_with_handler(store.answer)
    return store, httpserver.url_for("/fhir")


def patient(name: str, *resources: Any) -> str:
    person = {"resourceType": "Patient", "id": name}
    entries = [{"resource": resource} for resource in (*resources, person)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def observation(of: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "weight", "subject": {"reference": f"Patient/{of}"}, **fields}


@pytest.mark.parametrize("transactions", [True, False])
def test_the_packaged_patients_are_loaded_once(httpserver: HTTPServer, run: Seed, *, transactions: bool) -> None:
    """The second run creates nothing, and every reference leads to something that is there."""
    store, url = serve(httpserver, transactions=transactions)
    ended, out, err = run("--fhir", url)
    assert ended == 0, err
    files = list(fixture_folder().glob("*.json"))
    in_files = sum(len(json.loads(file.read_text(encoding="utf-8"))["entry"]) for file in files)
    assert f"{len(files)} patients: " in out
    assert len([address for address in store.resources if not address.startswith("Practitioner/")]) == in_files
    assert ("one by one" in out) is not transactions
    before = dict(store.resources)
    ended, out, _ = run("--fhir", url)
    assert (ended, store.resources) == (0, before)
    assert ": 0 resources created" in out


def test_patients_do_not_share_resources(httpserver: HTTPServer, run: Seed, tmp_path: Path) -> None:
    """Two files may both have an Observation `weight`; neither may overwrite the other's."""
    (tmp_path / "a.json").write_text(patient("ann", observation("ann")))
    (tmp_path / "b.json").write_text(patient("bob", observation("bob")))
    store, url = serve(httpserver)
    run("--fhir", url, "--patients", str(tmp_path))
    subjects = {k: v["subject"]["reference"] for k, v in store.resources.items() if k.startswith("Observation")}
    assert subjects == {"Observation/ann-weight": "Patient/ann", "Observation/bob-weight": "Patient/bob"}


def test_references_are_rewritten_and_sent_in_their_order(httpserver: HTTPServer, run: Seed, tmp_path: Path) -> None:
    """What is referred to comes first, for servers that check; a practitioner that no file holds is made up."""
    report = {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "subject": {"reference": "Patient/ann"},
        "result": [{"reference": "https://ehr.example.org/fhir/Observation/weight"}],
        "performer": [{"reference": "Practitioner/made-up"}],
    }
    (tmp_path / "a.json").write_text(patient("ann", report, observation("ann")))
    store, url = serve(httpserver, transactions=False)
    ended, _, err = run("--fhir", url, "--patients", str(tmp_path))
    assert ended == 0, err
    placed = store.resources["DiagnosticReport/ann-report"]
    assert placed["result"] == [{"reference": "Observation/ann-weight"}]
    assert store.resources["Practitioner/made-up"] == {"resourceType": "Practitioner", "id": "made-up"}
    order = store.order
    assert order.index("Patient/ann") < order.index("Observation/ann-weight") < order.index(order[-1])
    assert order[-1] == "DiagnosticReport/ann-report"


def test_long_ids_stay_ids(tmp_path: Path) -> None:
    """FHIR allows 64 characters; two long ids stay two."""
    long = [observation("ann") | {"id": "w" * 60 + end} for end in ("1", "2")]
    (tmp_path / "a.json").write_text(patient("ann", *long))
    ids = {resource["id"] for record in read_records(tmp_path) for resource in record.resources}
    assert len(ids) == 3
    assert max(map(len, ids)) <= 64


def test_another_machine_is_refused_unless_it_is_said_to_be_for_tests(run: Seed) -> None:
    ended, out, err = run("--fhir", "https://fhir.example.org/r4")
    assert (ended, out) == (2, "")
    assert "--yes-this-is-a-test-server" in err
    ended, _, err = run("--fhir", "http://127.0.0.1:1/fhir", "--timeout", "5")
    assert "unreachable" in err
    ended, _, err = run("--fhir", "http://host.invalid:1/fhir", "--yes-this-is-a-test-server", "--timeout", "0")
    assert (ended, "late" in err) == (2, True)


def test_what_the_server_refuses_is_told(httpserver: HTTPServer, run: Seed) -> None:
    issue = {"severity": "error", "code": "processing", "diagnostics": "no such code"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    httpserver.expect_request("/fhir", method="POST").respond_with_json(outcome, status=422)
    ended, _, err = run("--fhir", httpserver.url_for("/fhir"))
    assert ended == 2
    assert "HTTP 422: no such code" in err


def test_a_transaction_that_stores_less_than_all_fails(httpserver: HTTPServer, run: Seed, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(patient("ann", observation("ann")))
    issue = {"severity": "error", "code": "invalid", "details": {"text": "unit missing"}}
    refused = {"status": "400", "outcome": {"resourceType": "OperationOutcome", "issue": [issue]}}
    bundle = {"resourceType": "Bundle", "entry": [{"response": {"status": "201"}}, {"response": refused}]}
    httpserver.expect_request("/fhir", method="POST").respond_with_json(bundle)
    ended, _, err = run("--fhir", httpserver.url_for("/fhir"), "--patients", str(tmp_path))
    assert ended == 2
    assert "not all was stored: unit missing" in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "not a Bundle"),
        ("{", "not a Bundle"),
        ('{"entry": []}', "expected one Patient, found 0"),
        (patient("ann", observation("ann", encounter={"reference": "Encounter/e1"})), "names Encounter/e1"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named(run: Seed, tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "odd.json").write_text(content)
    ended, _, err = run("--fhir", "http://127.0.0.1:1/fhir", "--patients", str(tmp_path))
    assert ended == 2
    assert "odd.json" in err
    assert told in err


def test_an_empty_folder_is_told(run: Seed, tmp_path: Path) -> None:
    ended, _, err = run("--fhir", "http://127.0.0.1:1/fhir", "--patients", str(tmp_path))
    assert (ended, "holds no *.json" in err) == (2, True)
