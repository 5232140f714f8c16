"""What a hostile request may cost: the CPU time of the thread that answers it, and the size of the answer."""

from __future__ import annotations

import time

import pytest

from cds_service.effort import at_most, go_on
from cds_service.errors import RequestError
from cds_service.reading.shapes import LONGEST_TEXT
from cds_service.received_json.nesting import MOST_PARTS
from tests.support.bundles import searchset
from tests.support.dear import Json, condition, draft, observation, report

SIGN = "/cds-services/order-sign"
FAR_MORE_THAN_IT_TAKES_S = 2.0


def hook_request(drafts: list[Json], **prefetch: list[Json]) -> Json:
    keys = ("medications", "results", "tumour_results", "conditions", "allergies", "requests", "family")
    known = {key: searchset(*prefetch.get(key, [])) for key in keys}
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1970-03-01"}
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": searchset(*drafts)},
        "prefetch": {"patient": patient, **known},
    }


@pytest.mark.parametrize(
    ("drug", "known"),
    [
        ("clopidogrel", {"conditions": [condition(n, "Acute myocardial infarction") for n in range(4000)]}),
        ("clopidogrel", {"medications": [draft(n, "omeprazole") | {"status": "active"} for n in range(4000)]}),
        ("trastuzumab", {"tumour_results": [observation(n, "85319-2", "Positive (3+)") for n in range(4000)]}),
        ("cetuximab", {"tumour_results": [observation(n, "82535-6", "G12C detected") for n in range(4000)]}),
    ],
)
def test_many_facts_of_one_kind_cost_little(client_with, drug, known):
    client, asked = client_with(answer_budget_ms=20_000), hook_request([draft(9, drug)], **known)
    before_s = time.thread_time()
    assert client.post(SIGN, json=asked).status_code == 200
    assert time.thread_time() - before_s < FAR_MORE_THAN_IT_TAKES_S


def test_an_order_whose_name_is_too_long_could_not_be_checked(client_with):
    asked = hook_request([draft(1, "x " * LONGEST_TEXT)])
    (card,) = client_with().post(SIGN, json=asked).get_json()["cards"]
    assert "could not be checked" in card["summary"]


class TestRefused:
    """What would take too long is refused, and nothing is said of it."""

    @pytest.mark.parametrize(
        "request_body",
        [
            hook_request([draft(n, "clopidogrel 75 mg tablet") for n in range(3000)]),
            hook_request([draft(n, f"zzqx{n}") for n in range(5000)]),
            hook_request(
                [draft(1, "clopidogrel")],
                results=[
                    report("") | {"result": [{"reference": f"Observation/o{n}"} for n in range(3000)]},
                    *(observation(n, "84413-4", "CYP2C19 *1/*2", note=[{"text": "x"}]) for n in range(3000)),
                ],
            ),
        ],
        ids=["orders", "unknown orders", "a panel"],
    )
    def test_413(self, client_with, request_body):
        client = client_with(answer_budget_ms=100, evaluation_reserve_ms=50)
        before_s = time.process_time()
        response = client.post(SIGN, json=request_body)
        assert response.status_code == 413
        assert response.get_json(force=True)["issue"][0]["code"] == "too-costly"
        assert time.process_time() - before_s < FAR_MORE_THAN_IT_TAKES_S
        assert client.post(SIGN, json=hook_request([draft(1, "clopidogrel")])).status_code == 200

    def test_too_many_parts(self, client_with):
        content = b'{"hook":[' + b"{}," * MOST_PARTS + b"{}]}"
        response = client_with().post(SIGN, data=content, content_type="application/json")
        assert (response.status_code, response.get_json(force=True)["issue"][0]["code"]) == (413, "too-costly")


def test_what_cannot_be_read_does_not_swell_an_answer(client_with):
    drafts = [draft(n, f"zzqx{n}") for n in range(600)]
    response = client_with(answer_budget_ms=20_000).post(SIGN, json=hook_request(drafts))
    cards = response.get_json()["cards"]
    assert len(cards) == 600
    assert cards[0]["extension"]["org.cds-service.basis"]["gapsLeftOut"] == 401
    assert len(response.data) < 60 * len(cards) * 1000


def test_work_goes_on_until_its_time_is_over():
    with at_most(60):
        go_on()
        with pytest.raises(RequestError, match="takes too long"), at_most(-1):
            go_on()
        go_on()
    go_on()


def test_waiting_is_no_work():
    with at_most(0.05):
        time.sleep(0.1)
        go_on()
