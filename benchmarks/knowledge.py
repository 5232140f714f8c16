"""The knowledge with every table given again for drugs of other names: as much as years of work would add.

    python -m benchmarks.knowledge TIMES FOLDER

says for each line of standard input how many milliseconds a call took with it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.body import order_sign
from benchmarks.scaling import called, milliseconds, repeated, warm
from cds_service.answer import Service
from cds_service.knowledge.load import DATA, load_knowledge
from cds_service.policy import load_policy
from cds_service.terminology import open_index
from cds_service.writing import load_wording

_DRUG_COLUMNS = 5


def service_with(times: int, folder: Path) -> Service:
    """A service whose knowledge holds `times` as many tables; its files are put into `folder`."""
    data = folder / f"knowledge-{times}"
    shutil.copytree(DATA, data)
    guidance = {path: yaml.safe_load(path.read_text("utf-8")) for path in sorted((data / "guidance").glob("*.yaml"))}
    drugs = sorted({drug for tables in guidance.values() for table in tables for drug in table["drugs"]})
    with (data / "drugs.tsv").open("a", encoding="utf-8") as stream:
        for copy in range(1, times):
            stream.writelines(f"{_renamed(drug, copy)}{chr(9) * (_DRUG_COLUMNS - 1)}\n" for drug in drugs)
    for copy in range(1, times):
        for path, tables in guidance.items():
            content = yaml.safe_dump([_copied(table, copy) for table in tables], allow_unicode=True)
            path.with_name(f"copy_{copy}_{path.name}").write_text(content, "utf-8")
    knowledge = load_knowledge(data)
    return Service(knowledge, load_policy(None), open_index(knowledge, data), load_wording())


def _renamed(drug: str, copy: int) -> str:
    return f"{drug} copy{'abcdefghijklmnop'[copy]}"


def _copied(table: dict[str, Any], copy: int) -> dict[str, Any]:
    return table | {"id": f"{table['id']}_copy_{copy}", "drugs": [_renamed(drug, copy) for drug in table["drugs"]]}


def main() -> None:
    times, folder = int(sys.argv[1]), Path(sys.argv[2])
    with called(folder, service_with(times, folder), f"knowledge-{times}") as call:
        ordinary = repeated(call, order_sign())
        warm(ordinary)
        for _ in sys.stdin:
            print(milliseconds(ordinary), flush=True)


if __name__ == "__main__":
    main()
