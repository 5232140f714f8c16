"""The command `knowledge` of the command line: what the knowledge base holds, and whether it is whole."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import yaml

from cds_service.codes import LOINC
from cds_service.commands.arguments import PROBLEMS, WELL
from cds_service.commands.inspection import plain
from cds_service.errors import KnowledgeError, RequestError
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.checks import check
from cds_service.knowledge.comparison import compare
from cds_service.knowledge.derived import codes_of_results
from cds_service.knowledge.load import load_knowledge
from cds_service.writing import load_wording


def add_knowledge_command(commands: Any) -> None:
    """Add `knowledge list`, `show`, `codes`, `check` and `compare` to the subparsers of the command line."""
    knowledge = commands.add_parser("knowledge", help="the knowledge base").add_subparsers(
        required=True, metavar="COMMAND"
    )
    knowledge.add_parser("list", help="drugs, markers and tables").set_defaults(run=_list)
    show = knowledge.add_parser("show", help="everything that is held about a drug")
    show.add_argument("drug", metavar="DRUG")
    show.set_defaults(run=_show)
    knowledge.add_parser("codes", help="the LOINC codes under which results are read").set_defaults(run=_codes)
    knowledge.add_parser("check", help="prove that the knowledge is whole").set_defaults(run=_check)
    comparing = knowledge.add_parser("compare", help="hold the knowledge against a CPIC export")
    comparing.add_argument("file", metavar="FILE")
    comparing.set_defaults(run=_compare)


def _list(_chosen: argparse.Namespace) -> int:
    knowledge = load_knowledge()
    for drug, tables in sorted(knowledge.tables_by_drug.items()):
        markers = sorted({marker for table in tables for marker in table.markers})
        print(drug, " ".join(markers) or "-", " ".join(table.id for table in tables), sep="\t")
    print("\n".join(_counts(knowledge)), file=sys.stderr)
    return WELL


def _counts(knowledge: Knowledge) -> Iterator[str]:
    """What the knowledge holds, its tables by trust and by review state."""
    tables = knowledge.tables.values()
    markers = {marker for table in tables for marker in table.markers}
    rows = sum(len(table.rows) for table in tables)
    yield (
        f"knowledge {knowledge.version} ({knowledge.content_hash}): {len(knowledge.tables_by_drug)} drugs, "
        f"{len(markers)} markers, {len(knowledge.tables)} tables, {rows} rows"
    )
    trusts = Counter(table.trust.value for table in tables)
    yield "tables by trust: " + ", ".join(f"{count} {trust}" for trust, count in sorted(trusts.items()))
    reviews = Counter("reviewed" if table.review.by else "unreviewed" for table in tables)
    yield "tables by review: " + ", ".join(f"{count} {state}" for state, count in sorted(reviews.items()))


def _show(chosen: argparse.Namespace) -> int:
    knowledge = load_knowledge()
    tables = knowledge.tables_by_drug.get(chosen.drug.strip().lower())
    if tables is None:
        raise RequestError(404, "not-found", f"no guidance for {chosen.drug!r} in this knowledge base")
    content = {"drug": chosen.drug, "tables": [plain(table) for table in tables]}
    content["sources"] = [plain(knowledge.sources[name]) for name in _source_names(knowledge, chosen.drug)]
    print(yaml.safe_dump(_without_enums(content), allow_unicode=True, sort_keys=False, width=110), end="")
    return WELL


def _codes(_chosen: argparse.Namespace) -> int:
    for tells, code in sorted(codes_of_results(load_knowledge()), key=lambda found: (found[0], found[1].code)):
        if code.system == LOINC:
            print(code.code, tells, code.display, sep="\t")
    return WELL


def _source_names(knowledge: Knowledge, drug: str) -> list[str]:
    tables = knowledge.tables_by_drug[drug.strip().lower()]
    return [name for name in dict.fromkeys(table.source for table in tables) if name in knowledge.sources]


def _without_enums(value: object) -> object:
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def _check(_chosen: argparse.Namespace) -> int:
    try:
        problems = check(load_knowledge(), load_wording().phrases, datetime.now(UTC).date())
    except KnowledgeError as fault:
        problems = [str(fault)]
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else "no problems", file=sys.stderr)
    return PROBLEMS if problems else WELL


def _compare(chosen: argparse.Namespace) -> int:
    comparison = compare(load_knowledge(), Path(chosen.file))
    print(*comparison.lines(), sep="\n")
    return PROBLEMS if comparison.unexplained else WELL
