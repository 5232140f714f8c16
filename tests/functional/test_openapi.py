"""The OpenAPI document says what there is, and answers are as it says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.mutations import fixture_bodies
from tests.support.tokens import PUBLIC_URL, clients_file

BODIES = fixture_bodies()


@pytest.fixture
def document(client):
    return client.get("/openapi.json").get_json()


def validator(document, name):
    schemas = document["components"]["schemas"]
    return jsonschema.Draft202012Validator({"components": {"schemas": schemas}, **schemas[name]})


def test_every_route_is_described_and_no_other(client, document):
    """But those of the pages for people."""
    described = set()
    for path, methods in document["paths"].items():
        ids = document["paths"][path].get("parameters", [{}])[0].get("schema", {}).get("enum", [""])
        for method in methods.keys() - {"parameters"}:
            described |= {(method.upper(), path.replace("{id}", i)) for i in ids}
    services = [service["id"] for service in client.get("/cds-services").get_json()["services"]]
    there = set()
    for rule in client.application.url_map.iter_rules():
        ids = services if "<service_id>" in rule.rule else [""]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            there |= {(method, rule.rule.replace("<service_id>", i)) for i in ids}
    assert described == there - {("GET", "/"), ("GET", "/about/decision-support"), ("GET", "/style.css")}


def test_its_schemas_are_schemas(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", BODIES)
def test_the_fixtures_and_their_answers_are_as_described(client_with, document, name):
    body = BODIES[name]
    operation = document["paths"][f"/cds-services/{body['hook']}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    validator(document, schema).validate(body)
    response = client_with().post(f"/cds-services/{body['hook']}", json=body)
    assert response.status_code == 200
    validator(document, "Answer").validate(response.get_json())


def test_the_other_answers_are_as_described(client, document):
    validator(document, "Discovery").validate(client.get("/cds-services").get_json())
    validator(document, "Ready").validate(client.get("/readyz").get_json())
    response = client.post("/cds-services/order-sign", json={})
    assert response.status_code == 400
    validator(document, "OperationOutcome").validate(json.loads(response.data))


def test_it_needs_no_token_and_names_the_address(client_with, tmp_path: Path):
    client = client_with(development=False, clients=clients_file(tmp_path), public_url=PUBLIC_URL)
    response = client.get("/openapi.json")
    assert response.status_code == 200
    assert response.get_json()["servers"] == [{"url": PUBLIC_URL}]
    assert client.get("/cds-services").status_code == 401
