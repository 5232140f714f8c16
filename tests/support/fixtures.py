"""The fixtures: hook requests of made-up patients, and the answers that they must get.

An expected answer is kept in a normal form, so that it changes when what a clinician reads or an EHR does
changes, and not with every new version of the knowledge: uuids are numbered in the order in which they stand, and
the versions and hashes of knowledge and policy are blanked.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.answer import answer
from cds_service.commands.inspection import service_for
from cds_service.commands.pretty import answer_lines
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from tests.support.world import offered, service

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXPECTED = "expected"
TODAY = date.fromisoformat((FIXTURES / "TODAY").read_text(encoding="utf-8").strip())
"""The day on which every expected answer is given."""

README = FIXTURES.parent / "README.md"
SHOWN_IN_README = "01-clopidogrel-acs-poor-metaboliser"

Json = dict[str, Any]
_README_BLOCK = re.compile(r"(<!-- made by `make fixtures` -->\n```text\n).*?(```\n<!-- end -->)", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_BLANKED = frozenset({"version", "hash"})


def names() -> list[str]:
    return sorted(path.stem for path in (FIXTURES / "requests").glob("*.json"))


def read(folder: str, name: str) -> Json:
    content: Json = json.loads((FIXTURES / folder / f"{name}.json").read_text(encoding="utf-8"))
    return content


def answered(body: Json, today: date = TODAY) -> Json:
    """The answer to a hook request by its prefetch alone."""
    request = parse(body, service_for(body, offered()))
    return answer(request, prefetched_results(request.prefetch), service(), today).body


def normalised(body: Json) -> Json:
    """The answer in its normal form."""
    text = json.dumps(body, ensure_ascii=False)
    numbers: dict[str, str] = {}
    text = _UUID.sub(lambda found: numbers.setdefault(found.group(), f"uuid-{len(numbers) + 1}"), text)
    for said in _versions(body):
        text = text.replace(said, "...")
    normal: Json = json.loads(text)
    return normal


def _versions(body: Json) -> set[str]:
    """Version and hash of the knowledge and the hash of the policy, wherever the answer says them."""
    holders = [body, *body.get("cards", [])]
    bases = [holder["extension"]["org.cds-service.basis"] for holder in holders if "extension" in holder]
    said = {str(basis["knowledge"][name]) for basis in bases for name in _BLANKED if name in basis["knowledge"]}
    return said | {str(basis["policy"]["hash"]) for basis in bases if "hash" in basis["policy"]}


def readme_with_answer(readme: str) -> str:
    """The README with the answer of today's code in its place, the version of the knowledge blanked."""
    body = normalised(answered(read("requests", SHOWN_IN_README)))
    lines = "".join(f"{line}\n" for line in answer_lines(body, f"fixtures/requests/{SHOWN_IN_README}.json"))
    return _README_BLOCK.sub(lambda found: f"{found[1]}{lines}{found[2]}", readme)
