"""`cds-service try`: a hook request made of what a FHIR server holds, as an EHR would make it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service import cli
from cds_service.commands.drafting import draft
from cds_service.commands.sandboxes import Access, load_sandboxes
from cds_service.errors import SettingsError
from cds_service.hooks.requests import parse
from cds_service.policy import Policy, Switch
from tests.support.bundles import searchset
from tests.support.world import definition, index, knowledge, service

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-02-03", "gender": "female"}
PAROXETINE = {
    "resourceType": "MedicationRequest",
    "id": "rx-0",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationReference": {"reference": "Medication/m1"},
}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "paroxetine 20 mg tablet"}}
SEARCHES = ("Observation", "Condition", "AllergyIntolerance", "ServiceRequest", "FamilyMemberHistory")
TODAY = ["--today", "2026-11-25"]

Try = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fhir(httpserver: HTTPServer) -> HTTPServer:
    """A FHIR server with one patient who takes paroxetine."""
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    httpserver.expect_request("/fhir/Medication/m1").respond_with_json(MEDICATION)
    httpserver.expect_request("/fhir/MedicationRequest").respond_with_json(searchset(PAROXETINE))
    for kind in SEARCHES:
        httpserver.expect_request(f"/fhir/{kind}").respond_with_json(searchset())
    return httpserver


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Try:
    """Runs the command and gives its exit code, output and errors."""
    monkeypatch.setattr("cds_service.commands.sandbox.load_service", lambda *_: service())

    def call(*arguments: str) -> tuple[int, str, str]:
        ended = cli.main(["try", *TODAY, *arguments])
        out, err = capsys.readouterr()
        return ended, out, err

    return call


def test_a_drug_in_words_gets_its_card(fhir: HTTPServer, run: Try) -> None:
    """The request that was sent is a hook request that our own service reads, and gives the same answer."""
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", "--json")
    told = json.loads(out)
    assert ended == 0
    finding = told["response"]["cards"][0]["extension"]["org.cds-service.findings"][0]
    assert (finding["kind"], finding["drug"]["display"]) == ("change_now", "codeine")
    assert told["queries"]["medications"] == {"availability": "complete", "resources": 2, "reason": None}
    assert told["drugs"][0]["dose"] == {"perDose": 30.0, "unit": "mg", "perDay": None}
    request = parse(told["request"], definition("order-sign"))
    assert set(request.prefetch) == {query.value for query in definition("order-sign").prefetch}


def test_what_the_site_switched_off_is_neither_asked_nor_missed(
    fhir: HTTPServer, run: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = replace(service(), policy=Policy(guidance=dict.fromkeys(("tumour", "somatic", "germline"), Switch.OFF)))
    monkeypatch.setattr("cds_service.commands.sandbox.load_service", lambda *_: off)
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", "--json")
    told = json.loads(out)
    assert (ended, "tumour_results" in told["queries"], "tumour_results" in told["request"]["prefetch"]) == (
        0,
        False,
        False,
    )


def test_people_read_what_was_found_and_what_not(fhir: HTTPServer, run: Try) -> None:
    """A refused query is named with its reason, beside the cards, and the exit code says it."""
    fhir.clear_all_handlers()
    fhir.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    fhir.expect_request("/fhir/Observation").respond_with_data("no", status=403)
    for kind in ("MedicationRequest", *SEARCHES[1:]):
        fhir.expect_request(f"/fhir/{kind}").respond_with_json(searchset())
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "Patient/p1", "--drug", "abacavir 300 mg")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert ended == 1
    assert "results failed 0 resources, refused" in lines
    assert "patient complete 1 resource" in lines
    assert any(line.startswith("drug abacavir 300 mg: abacavir (RxNorm 190521), 300 mg") for line in lines)
    assert any("Abacavir could not be checked" in line for line in lines), out


def test_patient_view_needs_no_drug(fhir: HTTPServer, run: Try) -> None:
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--json")
    told = json.loads(out)
    assert (ended, told["request"]["hook"]) == (0, "patient-view")
    assert "draftOrders" not in told["request"]["context"]


def test_pages_are_followed(fhir: HTTPServer, run: Try) -> None:
    fhir.clear_all_handlers()
    fhir.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    fhir.expect_request("/fhir/Medication/m1").respond_with_json(MEDICATION)
    following = [{"relation": "next", "url": fhir.url_for("/fhir?page=2")}]
    fhir.expect_request("/fhir/MedicationRequest").respond_with_json(searchset(link=following, total=1))
    fhir.expect_request("/fhir", query_string="page=2").respond_with_json(searchset(PAROXETINE, total=1))
    for kind in SEARCHES:
        fhir.expect_request(f"/fhir/{kind}").respond_with_json(searchset())
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", "--json")
    told = json.loads(out)
    assert ended == 0, told["queries"]
    assert told["response"]["cards"][0]["extension"]["org.cds-service.findings"][0]["kind"] == "change_now"


def test_an_unknown_patient_is_an_error_and_no_answer(fhir: HTTPServer, run: Try) -> None:
    fhir.expect_request("/fhir/Patient/p2").respond_with_data("", status=404)
    ended, out, err = run("--fhir", fhir.url_for("/fhir"), "--patient", "p2", "--drug", "codeine 30 mg")
    assert (ended, out) == (2, "")
    assert "has no Patient/p2" in err


def test_a_server_that_answers_nothing_is_an_error_and_no_answer(httpserver: HTTPServer, run: Try) -> None:
    httpserver.expect_request("/fhir").respond_with_data("", status=401)
    httpserver.expect_oneshot_request("/never")
    httpserver.no_handler_status_code = 401
    ended, out, err = run("--fhir", httpserver.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg")
    assert (ended, out) == (2, "")
    assert "answered none of the queries: token_refused" in err


def test_a_drug_that_is_not_recognised_is_said(fhir: HTTPServer, run: Try) -> None:
    ended, out, _ = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "imaginarol 5 mg")
    assert ended == 1
    assert "imaginarol 5 mg: not recognised" in out


def test_order_sign_without_a_drug_is_refused(fhir: HTTPServer, run: Try) -> None:
    ended, _, err = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--hook", "order-sign")
    assert (ended, "asks about a drafted drug" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name the server"),
        (("--fhir", "ftp://example.org"), "fhirServer is not an absolute http(s) URL"),
        (("--fhir", "http://127.0.0.1:1", "--patient", "a/b"), "context.patientId is no FHIR id"),
        (("--preset", "epic"), "is not open"),
        (("--fhir", "http://127.0.0.1:1", "--smart-client", "x"), "--smart-client needs --smart-key"),
        (("--fhir", "http://127.0.0.1:1", "--token", "env"), "there is no token in it"),
    ],
)
def test_wrong_usage_is_told(
    run: Try, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.delenv("FHIR_ACCESS_TOKEN", raising=False)
    ended, _, err = run("--patient", "p1", "--drug", "codeine 30 mg", *arguments)
    assert ended == 2
    assert told in err


@pytest.mark.parametrize("place", ["file", "env"])
def test_the_token_is_sent_and_never_shown(
    httpserver: HTTPServer, run: Try, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("FHIR_ACCESS_TOKEN", "s3cret")
    allowed = {"headers": {"Authorization": "Bearer s3cret"}}
    httpserver.expect_request("/fhir/Patient/p1", **allowed).respond_with_json(PATIENT)
    for kind in ("MedicationRequest", *SEARCHES):
        httpserver.expect_request(f"/fhir/{kind}", **allowed).respond_with_json(searchset())
    where = str(tmp_path / "token") if place == "file" else "env"
    options = ("--fhir", httpserver.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", "--token", where)
    ended, out, _ = run(*options, "--json")
    assert ended == 0, out
    assert "s3cret" not in out


SMART_KEY_ID = "try-key"


@pytest.fixture(params=["rsa", "ec", "jwk"])
def private_key(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Any, str]:
    """A fresh private key in a file, its public half, and the algorithm that goes with it."""
    is_rsa = request.param == "rsa"
    key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP384R1())
    file = tmp_path / "key"
    if request.param == "jwk":
        file.write_text(json.dumps({**ECAlgorithm.to_jwk(key, as_dict=True), "kid": SMART_KEY_ID}))
    else:
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write_bytes(key.private_bytes(*pem))
    return file, key.public_key(), "RS384" if is_rsa else "ES384"


def test_smart_backend_services(fhir: HTTPServer, run: Try, private_key: tuple[Path, Any, str]) -> None:
    """The assertion is what the specification asks for, and the token that it earns opens the server."""
    file, public_key, algorithm = private_key
    token_url = fhir.url_for("/token")
    seen: list[dict[str, Any]] = []

    def token(request: Request) -> Response:
        form = request.form
        header = jwt.get_unverified_header(form["client_assertion"])
        claims = jwt.decode(form["client_assertion"], public_key, algorithms=[algorithm], audience=token_url)
        seen.append({"form": dict(form), "header": header, "claims": claims})
        return Response(json.dumps({"access_token": "earned", "token_type": "bearer"}), mimetype="application/json")

    fhir.expect_request("/fhir/.well-known/smart-configuration").respond_with_json({"token_endpoint": token_url})
    fhir.expect_request("/token", method="POST").respond_with_handler(token)
    smart = ("--smart-client", "client-7", "--smart-key", str(file), "--smart-kid", SMART_KEY_ID)
    ended, out, err = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", *smart)
    assert ended == 0, err
    (call,) = seen
    assert call["form"]["grant_type"] == "client_credentials"
    assert call["form"]["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "system/Observation.rs" in call["form"]["scope"].split()
    assert call["header"] == {"alg": algorithm, "kid": SMART_KEY_ID, "typ": "JWT"}
    assert (call["claims"]["iss"], call["claims"]["sub"]) == ("client-7", "client-7")
    assert 0 < call["claims"]["exp"] - time.time() <= 300
    assert call["claims"]["jti"]
    used = [r.headers.get("Authorization") for r, _ in fhir.log if r.path.startswith("/fhir/Patient")]
    assert used == ["Bearer earned"]
    assert "earned" not in out


@pytest.mark.parametrize(
    ("configuration", "answer", "told"),
    [
        (404, 200, "smart-configuration could not be read (not_found)"),
        ({}, 200, "names no token_endpoint"),
        ({"token_endpoint": "http://example.org/token"}, 200, "is not https"),
        ("own", 400, "gave no access token (HTTP 400 invalid_client not registered)"),
    ],
)
def test_a_refused_client_is_told(
    fhir: HTTPServer, run: Try, private_key: tuple[Path, Any, str], configuration: Any, answer: int, told: str
) -> None:
    where = "/fhir/.well-known/smart-configuration"
    if configuration == 404:
        fhir.expect_request(where).respond_with_data("", status=404)
    else:
        body = {"token_endpoint": fhir.url_for("/token")} if configuration == "own" else configuration
        fhir.expect_request(where).respond_with_json(body)
    refusal = {"error": "invalid_client", "error_description": "not registered"}
    fhir.expect_request("/token").respond_with_json(refusal, status=answer)
    smart = ("--smart-client", "client-7", "--smart-key", str(private_key[0]), "--smart-kid", SMART_KEY_ID)
    ended, _, err = run("--fhir", fhir.url_for("/fhir"), "--patient", "p1", "--drug", "codeine 30 mg", *smart)
    assert ended == 2
    assert told in err


def _text_of(key: Any) -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(*form).decode())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_text_of(ec.generate_private_key(ec.SECP256R1())), "the private key is EC P-256; expected RSA"),
        (_text_of(ed25519.Ed25519PrivateKey.generate()), "Ed25519PrivateKey; expected RSA"),
        (json.dumps(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)),
         "holds a public key"),
    ],
    ids=["a weak curve", "another kind", "the public half"],
)  # fmt: skip
def test_a_key_of_the_wrong_kind_is_told(run: Try, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "key").write_text(text)
    smart = ("--smart-client", "c", "--smart-key", str(tmp_path / "key"), "--smart-token-url", "https://127.0.0.1/t")
    ended, _, err = run("--fhir", "http://127.0.0.1:1", "--patient", "p1", "--drug", "codeine 30 mg", *smart)
    assert ended == 2
    assert told in err


@pytest.mark.parametrize("text", ["", "not a key", '{"kty": "oct", "k": "AA"}', '{"kty": "EC"}', "{"])
def test_a_key_that_cannot_sign_is_told(run: Try, tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    smart = ("--smart-client", "c", "--smart-key", str(tmp_path / "key"), "--smart-token-url", "https://127.0.0.1/t")
    ended, _, err = run("--fhir", "http://127.0.0.1:1", "--patient", "p1", "--drug", "codeine 30 mg", *smart)
    assert ended == 2
    assert "private key" in err


@pytest.mark.parametrize(
    ("text", "code", "quantity", "repeat"),
    [
        ("clopidogrel 75 mg once daily", "32968", (75, "mg"), (1, 1, "d")),
        ("codeine 30 mg every 6 hours", "2670", (30, "mg"), (4, 1, "d")),
        ("methotrexate 15 mg weekly", "6851", (15, "mg"), (1, 168, "h")),
        ("abacavir", "190521", None, None),
    ],
)
def test_words_become_a_draft(text: str, code: str, quantity: Any, repeat: Any) -> None:
    resource = draft(text, 1, "p1", index(), knowledge(), reason="because").resource
    concept: Any = resource["medicationCodeableConcept"]
    instruction: Any = resource.get("dosageInstruction", [{}])[0]  # type: ignore[index]
    dose = instruction.get("doseAndRate", [{}])[0].get("doseQuantity")
    timing = instruction.get("timing", {}).get("repeat")
    assert (concept["text"], concept["coding"][0]["code"]) == (text, code)
    assert (dose and (dose["value"], dose["code"])) == quantity
    assert (timing and (timing["frequency"], timing["period"], timing["periodUnit"])) == repeat
    assert resource["reasonCode"] == [{"text": "because"}]


def test_a_combination_is_drafted_without_a_wrong_code() -> None:
    """A code of one ingredient would hide the other."""
    drafted = draft("acetaminophen 300 mg / codeine 30 mg tablet", 1, "p1", index(), knowledge())
    concept: Any = drafted.resource["medicationCodeableConcept"]
    assert drafted.match is not None
    assert {"acetaminophen", "codeine"} <= set(drafted.match.drugs)
    assert "coding" not in concept


def test_the_route_of_a_product_is_kept() -> None:
    """Fluorouracil as a cream must not be drafted as if it were given into a vein."""
    resource: Any = draft("fluorouracil 5% cream", 1, "p1", index(), knowledge()).resource
    assert resource["dosageInstruction"][0]["route"] == {"text": "topical"}


def test_presets_are_whole() -> None:
    presets = load_sandboxes()
    assert set(presets) == {"smart", "hapi", "epic", "oracle"}
    assert {name for name, preset in presets.items() if preset.access is Access.OPEN} == {"smart", "hapi", "oracle"}
    assert all(preset.fhir.startswith("https://") and preset.needs for preset in presets.values())


def test_a_preset_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandboxes.yaml").write_text("x: {title: X, fhir: y, access: open, colour: red}")
    with pytest.raises(SettingsError, match="colour"):
        load_sandboxes(tmp_path / "sandboxes.yaml")
