"""What is pure in benchmarks/: arithmetic, bodies, tables. No test measures anything."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from benchmarks import report, scaling, shares
from benchmarks.body import FILE, another, content, generated, order_sign, stranger, with_entries, with_orders
from benchmarks.calls import PATH, fault_of
from benchmarks.driver import percentile, summary
from benchmarks.load import PARTS, lines
from benchmarks.loads.highest import holds
from benchmarks.loads.slow import SLOW
from benchmarks.loads.soak import growth, is_met
from benchmarks.loads.stop import STOP
from benchmarks.pace import Paced, due_s, paced
from benchmarks.report import Goal, replaced, table
from cds_service.answer import answer
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from tests.support import world

CARD = b'{"cards":[{"summary":"A card"}]}'
EMPTY = b'{"cards":[]}'


def entries(body: dict) -> list[dict]:
    bundles = [value for value in body["prefetch"].values() if value["resourceType"] == "Bundle"]
    return [entry["resource"] for bundle in bundles for entry in bundle.get("entry", ())]


def cards(body: dict) -> list:
    request = parse(body, world.definition("order-sign"))
    results = prefetched_results(request.prefetch, request.question.patient_id)
    return answer(request, results, world.service(), world.TODAY).body["cards"]


class TestBody:
    def test_the_committed_file_is_what_is_generated(self):
        assert generated() == FILE.read_bytes(), "python -m benchmarks.body writes it anew"

    def test_it_holds_what_the_benchmark_promises(self):
        body = order_sign()
        kinds = Counter(resource["resourceType"] for resource in entries(body))
        genotypes = [r for r in entries(body) if "valueCodeableConcept" in r]
        values = [r for r in entries(body) if "valueQuantity" in r]
        assert 14_500 <= len(content()) <= 15_900
        assert len(body["context"]["draftOrders"]["entry"]) == 2
        assert (kinds["MedicationRequest"], len(genotypes)) == (8, 5)
        assert kinds["Condition"] > 0
        assert len(values) >= 2

    def test_it_draws_a_card(self):
        assert cards(order_sign())

    @pytest.mark.parametrize("number", [0, 1, 65_536, 2**32 + 1])
    def test_every_call_is_for_another_patient_under_another_instance(self, number):
        before, after = order_sign(), json.loads(another(content(), number))
        following = json.loads(another(content(), number + 1))
        assert len(another(content(), number)) == len(content())
        assert len({body["context"]["patientId"] for body in (before, after, following)}) == 3
        assert after["hookInstance"] != following["hookInstance"]
        subjects = {resource["subject"]["reference"] for resource in entries(after)}
        assert subjects == {f"Patient/{after['context']['patientId']}"}
        assert after["prefetch"]["patient"]["id"] == after["context"]["patientId"]

    def test_strangers_share_neither_days_nor_values_nor_ids(self):
        one, two = (entries(json.loads(stranger(number))) for number in (1, 2))
        assert [resource["code"] for resource in one if "code" in resource] == [
            resource["code"] for resource in two if "code" in resource
        ]
        for of in (
            lambda found: {resource["id"] for resource in found},
            lambda found: {resource["valueQuantity"]["value"] for resource in found if "valueQuantity" in resource},
        ):
            assert not of(one) & of(two)
        assert [resource.get("effectiveDateTime") for resource in one] != [r.get("effectiveDateTime") for r in two]

    def test_a_stranger_is_the_same_each_time_and_draws_a_card(self):
        assert stranger(7) == stranger(7)
        assert cards(json.loads(stranger(7)))

    @pytest.mark.parametrize("count", [5, 50, 500])
    def test_prefetch_entries_are_as_many_as_asked_for(self, count):
        assert len(entries(with_entries(count))) == count

    @pytest.mark.parametrize("count", [1, 20])
    def test_orders_are_as_many_as_asked_for_and_differ_in_id(self, count):
        drafts = with_orders(count)["context"]["draftOrders"]["entry"]
        assert len({entry["resource"]["id"] for entry in drafts}) == count


class TestArithmetic:
    @pytest.mark.parametrize(
        ("found", "share", "expected"),
        [([], 99, 0), ([5.0], 99, 5.0), ([3, 1, 2, 4], 50, 2), (list(range(1, 101)), 99, 99), ([1, 2], 100, 2)],
    )
    def test_percentiles(self, found, share, expected):
        assert percentile(found, share) == expected

    def test_a_call_is_due_by_its_number_whatever_became_of_others(self):
        assert [due_s(10.0, number, 4.0) for number in range(3)] == [10.0, 10.25, 10.5]

    def test_faults_are_no_answers(self):
        found = Paced(50.0, 3, seconds=2.0)
        for wrong, time_ms in (("", 10.0), ("no card", 1.0), ("status 503", 1.0), ("", 30.0)):
            found.note(wrong, time_ms)
        told = found.summary()
        assert (told["answered"], told["faults"], told["per_second"]) == (2, 2, 1.0)
        assert (told["p50_ms"], told["max_ms"]) == (10.0, 30.0)
        assert told["kinds_of_fault"] == {"no card": 1, "status 503": 1}

    def test_wrk_is_read(self):
        found = summary("Running\nSUMMARY 1000 2000000 3 1500 9000\n")
        assert (found.per_second, found.failed, found.p50_ms, found.p99_ms) == (500.0, 3, 1.5, 9.0)
        with pytest.raises(SystemExit, match="did not say"):
            summary("unable to connect")

    def test_growth_is_from_when_memories_have_filled(self):
        found = growth([50, 60, 100, 100, 101, 101, 102, 102, 103, 104])
        assert (found["rss_mb_second_fifth"], found["rss_mb_last_fifth"], found["growth_mb"]) == (100, 103.5, 3.5)


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "body", "expected"),
        [
            (200, CARD, ""),
            (200, EMPTY, "no card"),
            (200, b"", "no card"),
            (429, CARD, "status 429"),
            (500, b"", "status 500"),
        ],
    )
    def test_an_answer_without_a_card_is_as_wrong_as_an_error(self, status, body, expected):
        assert fault_of(status, body) == expected

    @pytest.mark.parametrize(
        ("status", "body", "faults"), [(200, CARD, {}), (200, EMPTY, {"no card": 4}), (503, b"", {"status 503": 4})]
    )
    def test_a_paced_run_counts_them(self, httpserver: HTTPServer, status, body, faults):
        httpserver.expect_request(PATH, method="POST").respond_with_data(body, status)
        found = paced(httpserver.port, partial(another, b"{}"), 40.0, 0.1)
        assert dict(found.faults) == faults
        assert len(found.times_ms) == 4 - sum(faults.values())

    def test_a_run_with_a_fault_or_too_slow_does_not_hold(self):
        good = {"faults": 0, "per_second": 99.0, "wanted_per_second": 100.0, "p99_ms": 40.0}
        assert holds(good)
        for worse in ({"faults": 1}, {"per_second": 90.0}, {"p99_ms": 900.0}):
            assert not holds(good | worse)

    def test_a_soak_that_grows_or_fails_is_missed(self):
        good = {"faults": 0, "per_second": 50.0, "wanted_per_second": 50.0, "growth_mb": 0.4}
        assert is_met(good)
        for worse in ({"faults": 1}, {"per_second": 40.0}, {"growth_mb": 9.0}):
            assert not is_met(good | worse)

    def test_a_lost_request_is_a_missed_stop(self):
        good = {"lost": 0, "answered_after": 9, "exit_codes": [0, 0, 0]}
        assert STOP.is_met(good)
        for worse in ({"lost": 1}, {"answered_after": 0}, {"exit_codes": [0, 0, -9]}):
            assert not STOP.is_met(good | worse)

    def test_a_slow_health_check_is_missed(self):
        good = {
            "slow_clients": 500, "slow_clients_answered_at_last": 500, "health_failed": 0, "other_calls_failed": 0,
            "health_max_ms": 99.0,
        }  # fmt: skip
        assert SLOW.is_met(good)
        for worse in ({"slow_clients_answered_at_last": 499}, {"health_failed": 1}, {"other_calls_failed": 1},
                      {"health_max_ms": 100.0}):  # fmt: skip
            assert not SLOW.is_met(good | worse)


class TestReport:
    PAGE = "# Page\n\n<!-- load -->\nold\n<!-- /load -->\n\nAfter.\n"

    def test_only_what_stands_between_the_marks_is_replaced(self):
        assert replaced(self.PAGE, "load", ["| a |", r"\1", ""]) == (
            "# Page\n\n<!-- load -->\n\n| a |\n\\1\n\n<!-- /load -->\n\nAfter.\n"
        )

    def test_replacing_twice_is_replacing_once(self):
        once = replaced(self.PAGE, "load", ["x"])
        assert replaced(once, "load", ["x"]) == once

    def test_a_page_without_the_marks_stops_it(self):
        with pytest.raises(SystemExit, match="bench"):
            replaced(self.PAGE, "bench", [])

    def test_the_page_has_every_block(self):
        page = report.PAGE.read_text("utf-8")
        for block in ("bench", "costs", "time", "matrix", "sizes", "load"):
            assert replaced(page, block, ["x"]) != page

    def test_a_table(self):
        assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |", ""]

    @pytest.mark.parametrize(
        ("goal", "told"),
        [
            (Goal("g", 0.6, at_least=0.6), ("g", "at least 0.6", "0.60", "met")),
            (Goal("g", 0.599, at_least=0.6), ("g", "at least 0.6", "0.60", "**missed**")),
            (Goal("g", 3.0, at_most=3), ("g", "at most 3", "3.00", "met")),
            (Goal("g", 3.001, at_most=3), ("g", "at most 3", "3.00", "**missed**")),
            (Goal("g", 0, at_most=0), ("g", "at most 0", "0.00", "met")),
        ],
    )
    def test_a_goal_is_judged_by_what_was_found_not_by_what_is_shown(self, goal, told):
        assert goal.row() == told

    def test_the_load_table_says_what_was_missed(self):
        figures = {
            "minutes": 30.0, "wanted_per_second": 50.0, "per_second": 50.0, "answered": 90_000, "faults": 1,
            "p99_ms": 20.0, "rss_mb_second_fifth": 100.0, "rss_mb_last_fifth": 100.5, "growth_mb": 0.5,
            "commit": "abc", "at": "today",
        }  # fmt: skip
        row = lines(iter([(PARTS["soak"], figures)]))[2]
        assert "30 minutes at 50 calls/s: 90000 answered, 1 faults" in row
        assert "**missed** | abc | today" in row


class TestSteps:
    def test_they_are_those_of_the_answer(self):
        """The benchmark calls the steps of `answer.py` one by one: together they give what that gives."""
        given = {name: call() for name, call in scaling.steps_of(world.service()).items()}
        summaries = [card["summary"] for card in json.loads(given["check and encode"])["cards"]]
        assert summaries == [card["summary"] for card in cards(order_sign())]


class TestShares:
    def test_a_stack_belongs_to_our_innermost_package(self):
        ours, library = str(Path(shares._OURS)), str(shares._LIBRARIES)
        stacks = [
            (
                f"{library}/sqlalchemy/engine.py",
                f"{ours}/store/store.py",
                f"{ours}/web/cds.py",
                f"{library}/flask/app.py",
            ),
            (f"{ours}/web/cds.py", f"{library}/flask/app.py"),
            (f"{library}/werkzeug/local.py", f"{library}/flask/app.py", str(shares._DRIVERS / "shares.py")),
            (str(shares._DRIVERS / "shares.py"),),
        ]
        assert shares.shares(stacks) == {
            "sqlalchemy": (0, pytest.approx(1 / 3)),
            "cds_service/store": (pytest.approx(1 / 3), 0),
            "cds_service/web": (pytest.approx(1 / 3), pytest.approx(1 / 3)),
            "werkzeug": (pytest.approx(1 / 3), pytest.approx(1 / 3)),
        }
