"""A patient asked about through a real FHIR server gets the cards that the fixture gets directly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service import cli
from cds_service.answer import answer, load_service
from cds_service.app import close, create_app
from cds_service.commands.seeding import fixture_folder, read_records, server_address
from cds_service.commands.trying import ask
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.offered import offered_by
from cds_service.settings import Settings
from tests.fhir_servers.conftest import Seeded

Json = dict[str, Any]

FIXTURES = fixture_folder().parent
TODAY = date.fromisoformat((FIXTURES / "TODAY").read_text().strip())
SERVICE = load_service()
DEFINITIONS = offered_by(SERVICE)
LIMIT_S = 60


def recorded() -> Iterator[Any]:
    """The fixture requests; one without any prefetch is about what is missing, which a server is not."""
    for path in sorted((FIXTURES / "requests").glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        if body.get("prefetch"):
            yield pytest.param(body, id=path.stem)


def drafted() -> Iterator[Any]:
    """Those that `try` can put into words: drafts of an order that is signed, or no draft at all."""
    for case in recorded():
        if case.values[0]["hook"] in ("order-sign", "patient-view"):
            yield case


def as_on(server: Seeded, body: Json) -> Json:
    """The request without prefetch, with the ids that the patient's resources have on the server."""
    patient_id = body["context"]["patientId"]
    text = json.dumps({name: value for name, value in body.items() if name != "prefetch"})
    for address in addresses(patient_id):
        text = text.replace(f'"{address}"', f'"{server_address(address, patient_id)}"')
    return {**json.loads(text), "fhirServer": server.url}


def addresses(patient_id: str) -> Iterator[str]:
    for path in (FIXTURES / "patients").glob("*.json"):
        resources = [entry["resource"] for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]]
        if any(found["id"] == patient_id for found in resources):
            yield from (f"{found['resourceType']}/{found['id']}" for found in resources)


def direct(body: Json) -> Json:
    request = parse(body, DEFINITIONS[body["hook"]])
    return answer(request, prefetched_results(request.prefetch), SERVICE, TODAY).body


def told(body: Json) -> list[Any]:
    """What the cards say, without the ids of the resources: indicator, summary, findings."""
    return [[card["indicator"], card["summary"], findings(card)] for card in body["cards"]]


def findings(holder: Json) -> list[Any]:
    found = holder.get("extension", {}).get("org.cds-service.findings", [])
    return [[f["kind"], f["drug"].get("code"), f["drug"].get("display"), markers(f), asked_for(f)] for f in found]


def markers(finding: Json) -> list[Any]:
    return [[m["id"], m["knowledge"], m.get("state"), m.get("effectiveState")] for m in finding.get("markers", [])]


def asked_for(finding: Json) -> list[Any]:
    return [[t["markers"], t.get("changeProbability")] for t in finding.get("tests", [])]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """Our service as a developer runs it, with time enough for a server on a busy machine."""
    store = tmp_path_factory.mktemp("store") / "store.sqlite"
    settings = Settings(
        development=True, answer_budget_ms=LIMIT_S * 1000, database_url=f"sqlite:///{store}", log_level="ERROR"
    )
    app = create_app(settings, SERVICE, lambda request, results, service, _: answer(request, results, service, TODAY))
    yield app.test_client()
    close(app)


def test_loading_again_changes_nothing(server: Seeded) -> None:
    assert server.created_again == 0
    if server.name != "medplum":  # it answers 200 to a first PUT too
        of_patients = sum(len(record.resources) - 1 for record in read_records(FIXTURES / "patients"))
        assert server.created_first >= of_patients


@pytest.mark.parametrize("body", list(recorded()))
def test_prefetch_filled_by_our_templates(server: Seeded, body: Json) -> None:
    trial = ask(as_on(server, body), DEFINITIONS[body["hook"]], SERVICE, TODAY, Deadline.after(LIMIT_S))
    assert {key: result.availability.value for key, result in trial.results.items()} == dict.fromkeys(
        trial.results, "complete"
    )
    assert told(dict(trial.answered.body)) == told(direct(body))


@pytest.mark.parametrize("body", list(recorded()))
def test_fetching_by_our_service(server: Seeded, client: FlaskClient, body: Json) -> None:
    response = client.post(f"/cds-services/{DEFINITIONS[body['hook']].id}", json=as_on(server, body))
    assert response.status_code == 200, response.get_data(as_text=True)
    assert told(response.get_json()) == told(direct(body))


@pytest.mark.parametrize("body", list(drafted()))
def test_try(server: Seeded, capsys: pytest.CaptureFixture[str], body: Json) -> None:
    options = [option for resource in drafts(body) for option in ("--drug", in_words(resource))]
    command = ["try", "--fhir", server.url, "--patient", body["context"]["patientId"], "--json"]
    ended = cli.main([*command, "--today", TODAY.isoformat(), "--hook", body["hook"], *options])
    printed = json.loads(capsys.readouterr().out)
    assert ended == 0, printed["queries"]
    assert kinds(printed["response"]) == kinds(direct(body))


def drafts(body: Json) -> list[Json]:
    resources = [entry["resource"] for entry in body["context"].get("draftOrders", {}).get("entry", [])]
    return [resource for resource in resources if resource["resourceType"] == "MedicationRequest"]


def in_words(resource: Json) -> str:
    """The drug and its route, as a person would type them."""
    holder = resource.get("contained", [{}])[0]
    name = (resource.get("medicationCodeableConcept") or holder["code"])["text"]
    routes = [dosage["route"]["coding"][0] for dosage in resource["dosageInstruction"] if "route" in dosage]
    return " ".join([name, *(route["display"].removesuffix(" route") for route in routes)])


def kinds(body: Json) -> list[Any]:
    """Kinds, drugs and markers of the cards."""
    found = [finding for card in body["cards"] for finding in findings(card)]
    return sorted([kind, str(code), [marker[0] for marker in held]] for kind, code, _, held, _ in found)


def test_a_patient_that_the_server_does_not_have(server: Seeded, capsys: pytest.CaptureFixture[str]) -> None:
    ended = cli.main(["try", "--fhir", server.url, "--patient", "made-up-nobody", "--drug", "clopidogrel 75 mg"])
    assert ended == 2
    assert "has no Patient/made-up-nobody" in capsys.readouterr().err
