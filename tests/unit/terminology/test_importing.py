"""A release becomes one file, whole or not at all, and its codes are answered; tiny releases of our own."""

from __future__ import annotations

import io
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path

import pytest

from cds_service import cli
from cds_service.codes import ATC, NDC, RXNORM, SNOMED, Coding
from cds_service.commands.terminology import ProgressBar
from cds_service.errors import TerminologyError
from cds_service.knowledge.schema import Drug
from cds_service.model import CodedDrug, DrugMatch, RxNormIngredient
from cds_service.terminology import database as terminology
from cds_service.terminology import open_index
from cds_service.terminology.codings import forms_of, system_of
from cds_service.terminology.database import CodeDatabase
from cds_service.terminology.importing import Summary, import_release
from cds_service.terminology.release import Part, find_files
from tests.support import releases
from tests.support.releases import ACETAMINOPHEN, CLOPIDOGREL, CODEINE, FILLERIUM
from tests.support.terminology import knowledge_of, packaged_drugs

TODAY = date(2026, 11, 25)
Files = dict[str, str]


def imported(folder: Path, files: Files) -> Summary:
    release = releases.write(folder / "release", files)
    return import_release(find_files([release]), folder / "terminology.sqlite", TODAY)


@pytest.fixture(scope="module", autouse=True)
def closed_connections() -> Iterator[None]:
    """A connection lives as long as its thread: those of this one are closed at the end."""
    connect, this_thread = terminology._connect, threading.get_ident()

    def kept(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        if threading.get_ident() == this_thread:
            opened.callback(connection.close)
        return connection

    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setattr(terminology, "_connect", kept)
        yield


@pytest.fixture
def database(tmp_path: Path) -> Iterator[CodeDatabase]:
    opened = CodeDatabase(imported(tmp_path, releases.rxnorm_files()).path)
    yield opened
    opened.close()


def ingredients(drug: CodedDrug | None) -> set[str]:
    return {ingredient.rxcui for ingredient in drug.ingredients} if drug else set()


@pytest.mark.parametrize("rxcui", sorted(releases.CONCEPTS))
def test_every_term_type_leads_to_its_ingredients(database: CodeDatabase, rxcui: str) -> None:
    tty, name = releases.CONCEPTS[rxcui]
    drug = database.look_up(RXNORM, rxcui)
    names = {"32968": "clopidogrel", "2670": "codeine", "161": "acetaminophen", FILLERIUM: "Fillerium"}
    expected = {code for code, ingredient in names.items() if ingredient in name}
    assert ingredients(drug) == (expected or {CLOPIDOGREL}), tty
    assert drug is not None
    assert drug.name == name


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (NDC, "99999000101", {CLOPIDOGREL}),
        (NDC, "999990001", {CLOPIDOGREL}),
        (NDC, "09999099902", {CODEINE, ACETAMINOPHEN}),
        (NDC, "11111111111", set()),
        (SNOMED, "990000001", {CLOPIDOGREL}),
        (SNOMED, "990000002", {CODEINE, ACETAMINOPHEN}),
        (SNOMED, "990000003", set()),
        (ATC, "Z99ZZ99", {FILLERIUM}),
        (ATC, "Z99ZZ98", set()),
        (ATC, "Z99ZZ97", set()),
        (RXNORM, "9900097", {CLOPIDOGREL}),
        (RXNORM, "9900098", {CLOPIDOGREL}),
        (RXNORM, "9999999", set()),
    ],
)
def test_codes_of_other_systems_and_retired_codes_lead_there_too(
    database: CodeDatabase, system: str, code: str, expected: set[str]
) -> None:
    assert ingredients(database.look_up(system, code)) == expected


def test_the_file_tells_where_it_is_from(tmp_path: Path) -> None:
    summary = imported(tmp_path, releases.rxnorm_files())
    opened = CodeDatabase(summary.path)
    assert (summary.source, summary.release) == ("RxNorm", "RXNORM_made_up")
    assert opened.meta["imported_on"] == "2026-11-25"
    assert opened.meta["release"] == "RXNORM_made_up"
    assert len(opened.meta["sha256 RXNCONSO.RRF"]) == 64
    assert opened.meta["count NDC"] == "6"
    assert summary.counts["concepts"] == len(releases.CONCEPTS)


def test_relations_are_read_in_either_direction(tmp_path: Path) -> None:
    inverse = {"has_ingredient": "ingredient_of", "consists_of": "constitutes", "tradename_of": "has_tradename"}
    turned = [(target, inverse[name], source) for source, name, target in releases.RELATIONS if name in inverse]
    kept = [relation for relation in releases.RELATIONS if relation[1] not in inverse]
    files = releases.rxnorm_files() | {"RXNREL.RRF": "".join(releases.rel(*r) for r in [*turned, *kept])}
    opened = CodeDatabase(imported(tmp_path, files).path)
    assert ingredients(opened.look_up(RXNORM, "9900020")) == {CLOPIDOGREL}
    opened.close()


def test_rxterms_brings_products_and_their_ingredients(tmp_path: Path) -> None:
    summary = imported(tmp_path, releases.rxterms_files())
    opened = CodeDatabase(summary.path)
    assert (summary.source, summary.release) == ("RxTerms", "2026-11")
    assert ingredients(opened.look_up(RXNORM, "9900032")) == {CODEINE, ACETAMINOPHEN}
    assert ingredients(opened.look_up(RXNORM, CODEINE)) == {CODEINE}
    assert opened.look_up(RXNORM, "9900050") is None
    opened.close()


def test_an_archive_is_read_and_its_outer_files_count(tmp_path: Path) -> None:
    outer = {f"rrf/{name}": content for name, content in releases.rxnorm_files().items()}
    subset = {f"prescribe/rrf/{name}": "not a release\n" for name in releases.rxnorm_files()}
    archive = releases.pack(tmp_path / "RxNorm_full.zip", outer | subset)
    summary = import_release(find_files([archive]), tmp_path / "t.sqlite", TODAY)
    assert summary.counts["concepts"] == len(releases.CONCEPTS)


def without_last_bytes(content: str) -> str:
    return content[:-20]


def without_second_half(content: str) -> str:
    lines = content.splitlines(keepends=True)
    return "".join(lines[: len(lines) // 4])


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("RXNCONSO.RRF", without_last_bytes, r"RXNCONSO\.RRF:\d+: expected a line of 18 fields"),
        ("RXNREL.RRF", without_last_bytes, r"RXNREL\.RRF:\d+: expected a line of 16 fields"),
        ("RXNREL.RRF", without_second_half, r"\d of 6 products lead to no ingredient"),
        ("RXNREL.RRF", lambda content: content.replace("|has_ingredient|", "|hat_inhalt|"), "lead to no ingredient"),
        ("RXNSAT.RRF", lambda content: content.replace("9900032", "8800032"), r"2 of 6 National Drug Codes"),
        ("RXNCONSO.RRF", lambda content: "", "no ingredient of RxNorm"),
        ("RXNCONSO.RRF", lambda content: content.replace("|IN|", "|XX|"), "no ingredient of RxNorm"),
        ("RXNCONSO.RRF", lambda content: re.sub("[|](SCD|SBD|GPCK|BPCK)[|]", "|XX|", content), "National Drug Codes"),
    ],
)
def test_a_release_that_is_not_whole_leaves_the_old_file(
    tmp_path: Path, name: str, change: Callable[[str], str], told: str
) -> None:
    before = imported(tmp_path, releases.rxnorm_files()).path.read_bytes()
    files = releases.rxnorm_files()
    files[name] = change(files[name])
    with pytest.raises(TerminologyError, match=told):
        imported(tmp_path, files)
    assert (tmp_path / "terminology.sqlite").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release", "terminology.sqlite"]


def test_an_interrupted_import_leaves_nothing(tmp_path: Path) -> None:
    files = find_files([releases.write(tmp_path / "release", releases.rxnorm_files())])

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    files[Part.ATTRIBUTES].advanced = interrupt
    with pytest.raises(KeyboardInterrupt):
        import_release(files, tmp_path / "t.sqlite", TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    archive = releases.pack(tmp_path / "r.zip", releases.rxnorm_files())
    packed = bytearray(archive.read_bytes())
    packed[200] ^= 0xFF
    archive.write_bytes(packed)
    with pytest.raises(TerminologyError, match="cannot be read to its end"):
        import_release(find_files([archive]), tmp_path / "t.sqlite", TODAY)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    folder = releases.write(tmp_path / "release", releases.rxnorm_files())
    (folder / "RXNCONSO.RRF").write_bytes(b"\xff\xfe|\n")
    with pytest.raises(TerminologyError, match=r"RXNCONSO\.RRF:1: not UTF-8"):
        import_release(find_files([folder]), tmp_path / "t.sqlite", TODAY)


def test_the_columns_of_rxterms_are_checked(tmp_path: Path) -> None:
    files = releases.rxterms_files()
    with pytest.raises(TerminologyError, match="no ingredient or no product"):
        imported(tmp_path, files | {"RxTermsIngredients202611.txt": "RXCUI|INGREDIENT|ING_RXCUI\n"})
    files["RxTerms202611.txt"] = files["RxTerms202611.txt"].replace("FULL_NAME", "NAME", 1)
    with pytest.raises(TerminologyError, match="the header lacks FULL_NAME"):
        imported(tmp_path, files)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"readme.txt": "-"}, "no file of a RxNorm or RxTerms release"),
        ({"RXNCONSO.RRF": "", "RXNREL.RRF": ""}, "not found in what was given: RXNSAT.RRF"),
        ({"RxTerms202611.txt": ""}, "RXTERMSINGREDIENTS"),
        ({"RXNCONSO.RRF": "", "RxTerms202611.txt": ""}, "of RxNorm and of RxTerms"),
    ],
)
def test_a_release_that_lacks_files_is_named(tmp_path: Path, files: Files, told: str) -> None:
    with pytest.raises(TerminologyError, match=told):
        find_files([releases.write(tmp_path / "release", files)])


def test_what_is_no_release_at_all_is_named(tmp_path: Path) -> None:
    other = tmp_path / "notes.pdf"
    other.write_text("-")
    with pytest.raises(TerminologyError, match="no such file"):
        find_files([tmp_path / "nothing"])
    with pytest.raises(TerminologyError, match="neither a file of RxNorm"):
        find_files([other])
    folder = releases.write(tmp_path / "release", releases.rxnorm_files())
    with pytest.raises(TerminologyError, match="found twice"):
        find_files([folder, folder / "RXNREL.RRF"])


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00"])
def test_another_file_is_no_terminology(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.sqlite").write_bytes(content)
    with pytest.raises(TerminologyError, match=r"t\.sqlite"):
        CodeDatabase(tmp_path / "t.sqlite")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = imported(tmp_path, releases.rxnorm_files()).path
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA user_version = 99")
    with pytest.raises(TerminologyError, match="import the release again"):
        CodeDatabase(path)


def test_a_file_that_breaks_is_a_code_not_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened = CodeDatabase(imported(tmp_path, releases.rxnorm_files()).path)
    (tmp_path / "terminology.sqlite").write_bytes(b"\0" * 8192)
    assert opened.look_up(RXNORM, CODEINE) is None
    assert "cannot be read" in caplog.text
    opened.close()


def test_threads_have_their_own_connections(database: CodeDatabase) -> None:
    found: list[set[str]] = []

    def look_up(code: str) -> None:
        found.append(ingredients(database.look_up(RXNORM, code)))
        database.close()

    threads = [threading.Thread(target=look_up, args=(code,)) for code in (CODEINE, "9900013", "9900020")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(sorted, found)) == [[CODEINE], [CLOPIDOGREL], [CLOPIDOGREL]]


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("0071-0155-23", ("00071015523",)), ("50090-347-01", ("50090034701",)), ("50090-3475-1", ("50090347501",)),
        ("50090-3475-01", ("50090347501",)), ("50090347501", ("50090347501",)), ("050090347501", ("50090347501",)),
        ("0071-0155", ("000710155",)), ("50090-347", ("500900347",)),
        ("0071015523", ("00071015523", ("00710015523"), ("00710155203"))),
        ("0071-01-23", ()), ("000071-0155-23", ()), ("12345", ()), ("0071-0155-23-1", ()), ("ABCDE-0155-23", ()),
        ("", ()), ("٠٠٠٧١٠١٥٥٢٣", ()),
    ],
)  # fmt: skip
def test_national_drug_codes_come_in_one_form(code: str, forms: tuple[str, ...]) -> None:
    assert forms_of(NDC, code) == forms


@pytest.mark.parametrize(
    ("uri", "system"),
    [
        ("http://snomed.info/sct", SNOMED), ("http://snomed.info/sct/731000124108", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.69", NDC), (f"{RXNORM}/", RXNORM), ("http://www.whocc.no/atc", ATC),
        ("http://snomed.info/sctid", ""), ("", ""), ("urn:local", ""),
    ],
)  # fmt: skip
def test_systems_are_known_by_their_names(uri: str, system: str) -> None:
    assert system_of(uri) == system


@pytest.mark.parametrize(
    ("system", "code"), [(RXNORM, "12a"), (RXNORM, "123456789"), (SNOMED, "12"), (ATC, "B01"), ("urn:local", "1")]
)
def test_what_is_no_code_of_its_system_has_no_form(system: str, code: str) -> None:
    assert forms_of(system, code) == ()


class Address:
    """An address that knows one code."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def look_up(self, system: str, code: str) -> CodedDrug | None:
        self.asked.append((system, code))
        return CodedDrug((RxNormIngredient(CODEINE, "codeine"),)) if code == "8800001" else None


Find = Callable[..., DrugMatch | None]


@pytest.fixture(scope="module")
def address() -> Address:
    return Address()


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory, address: Address) -> Find:
    path = imported(tmp_path_factory.mktemp("index"), releases.rxnorm_files()).path
    index = open_index(knowledge_of(list(packaged_drugs())), database=path, address=address)
    return lambda *codings, text="": index.find(tuple(Coding(*coding) for coding in codings), text)


def test_an_imported_product_is_our_drug_with_route_and_strength(find: Find) -> None:
    assert find((RXNORM, "9900013")) == DrugMatch(
        ("clopidogrel",), "code", "clopidogrel 75 MG Oral Tablet [Clotaway]", "oral", 75.0
    )


@pytest.mark.parametrize(
    ("coding", "drugs"),
    [
        ((NDC, "99999-0001-01"), ("clopidogrel",)),
        ((NDC, "9999900101"), ("clopidogrel",)),
        ((NDC, "9999-0999-02"), ("acetaminophen", "codeine")),
        ((SNOMED, "990000001"), ("clopidogrel",)),
        ((ATC, "z99zz99"), ("fillerium",)),
        ((RXNORM, "9900041"), ("fillerium",)),
        ((RXNORM, "9900097"), ("clopidogrel",)),
    ],
)
def test_codes_of_every_system_are_recognised(find: Find, coding: tuple[str, str], drugs: tuple[str, ...]) -> None:
    match = find(coding)
    assert match is not None
    assert (match.drugs, match.by, match.disagrees) == (drugs, "code", ())


def test_a_code_whose_readings_are_different_drugs_is_not_known(find: Find) -> None:
    assert find((NDC, "9999000102")) is None
    assert find((NDC, "9999-0001-02")) is not None
    assert find((NDC, "99990-001-02")) is not None


def test_an_ingredient_without_a_code_of_ours_is_found_by_its_whole_name(tmp_path: Path) -> None:
    path = imported(tmp_path, releases.rxnorm_files()).path
    by_synonym = [drug for drug in packaged_drugs() if drug.id != "lisinopril"]
    by_synonym.append(Drug("lisinopril", synonyms=("FILLERIUM",)))
    index = open_index(knowledge_of(by_synonym), database=path)
    match = index.find((Coding(RXNORM, "9900041"),), "")
    assert match is not None
    assert match.drugs == ("lisinopril",)


def test_a_file_that_could_not_be_read_once_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = imported(tmp_path, releases.rxnorm_files()).path
    index = open_index(knowledge_of(list(packaged_drugs())), database=path)
    product = (Coding(RXNORM, "9900013"),)
    with monkeypatch.context() as broken:
        broken.setattr(CodeDatabase, "look_up", lambda *_: None)
        assert index.find(product, "") is None
    match = index.find(product, "")
    assert match is not None
    assert match.drugs == ("clopidogrel",)


def test_codes_that_name_different_drugs_are_said(find: Find) -> None:
    match = find((NDC, "99999-0001-01"), (RXNORM, "9900032"), (SNOMED, "990000001"))
    assert match is not None
    assert match.drugs == ("acetaminophen", "codeine")
    assert match.disagrees == ("clopidogrel",)


def test_the_same_drug_by_several_codes_is_no_disagreement(find: Find) -> None:
    match = find((ATC, "B01AC04"), (NDC, "99999000101"), (RXNORM, "32968"), (SNOMED, "990000001"))
    assert match is not None
    assert (match.drugs, match.disagrees) == (("clopidogrel",), ())


def test_the_address_is_asked_last_and_for_codes_alone(find: Find, address: Address) -> None:
    address.asked.clear()
    assert find((RXNORM, "9900013")) is not None
    assert find((RXNORM, "8800002"), text="codeine 30 mg") is not None
    assert find(("urn:local", "8800001"), (NDC, "0071015523"), (RXNORM, "Testperson, Ada")) is None
    assert address.asked == []
    match = find((RXNORM, "8800001"), (RXNORM, "8800001"), (NDC, "0071-0155-23"))
    assert match is not None
    assert (match.drugs, match.by) == (("codeine",), "code")
    assert address.asked == [(RXNORM, "8800001"), (NDC, "00071015523")]


def test_the_command_imports_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release = releases.write(tmp_path / "release", releases.rxnorm_files())
    target = tmp_path / "made.sqlite"
    assert cli.main(["terminology", "import", str(release), "--to", str(target)]) == 0
    told = capsys.readouterr()
    assert "RxNorm RXNORM_made_up: " in told.out
    assert "6 NDC" in told.out
    assert told.err == ""
    monkeypatch.setenv("CDS_TERMINOLOGY", str(target))
    assert cli.main(["terminology", "show"]) == 0
    assert "release\tRXNORM_made_up" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CDS_TERMINOLOGY", raising=False)
    assert cli.main(["terminology", "import", str(tmp_path)]) == 2
    assert "no file of a RxNorm or RxTerms release" in capsys.readouterr().err
    assert cli.main(["terminology", "show"]) == 2
    assert "name the file" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_progress(tmp_path: Path) -> None:
    files = find_files([releases.write(tmp_path / "release", releases.rxnorm_files())])
    terminal = Terminal()
    with ProgressBar(files.values(), terminal):
        import_release(files, tmp_path / "t.sqlite", TODAY)
    assert terminal.getvalue().endswith("] 100%  0 MB read\n")
