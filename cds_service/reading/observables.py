"""Results that are no germline genes: laboratory values, serologies, intervals, tumour markers, variants of tumours,
and genotypes that no guidance asks about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations

from cds_service.codes import LOINC
from cds_service.knowledge.schema import Observable, ObservableKind
from cds_service.model import (
    Between,
    Gap,
    GapReason,
    NotReadable,
    Phenotype,
    Presence,
    Quantity,
    SelfContradiction,
    Statement,
    Undetermined,
)
from cds_service.reading.answers import Answer, interpreted
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming
from cds_service.reading.methods import Part, parts_by_method
from cds_service.reading.named_variants import is_one_alone, statements_by_gene
from cds_service.reading.observed import (
    GERMLINE,
    NOT_UNDERSTOOD,
    OF_VARIANTS,
    SOMATIC,
    Observed,
    found_as,
    observed_in,
)
from cds_service.reading.observed_values import genotype_said, graded, measured, states_said
from cds_service.reading.presences import flags_of_variant, presence_said, significance_said
from cds_service.reading.provenance import origin_of
from cds_service.reading.quantities import quantity_in_text
from cds_service.reading.readings import TAKEN_BACK_BY_REASON, Found, says_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import (
    Resource,
    codes_of,
    codings,
    concept_label,
    concept_texts,
    fold,
    has_code,
    has_word,
    items,
    objects,
)
from cds_service.reading.significance import NOT_SAID, significance_in
from cds_service.reading.tumour_words import is_called_in, is_plain_call
from cds_service.reading.variant_sentences import NOT_TOLD
from cds_service.reading.variants import fused_genes, is_of_copies, is_rearrangement, tells_copies
from cds_service.reading.vocabulary import GENOTYPE, HAPLOTYPE, OLD_GENE_VARIANT, VARIANT

_OF_GENES = ("gene:", *OF_VARIANTS)
_SIDES = {"germline": (GERMLINE, "gene:"), "somatic": (SOMATIC,)}
"""Origin of a result -> the kinds of observables that are of it."""


def named_by_label(record: Record, chart: Chart) -> str:
    """The observable that an Observation without a known code names in words, as a whole; else empty."""
    labels = (fold(text) for text in concept_texts(record.resource.get("code")))
    return next((i for label in labels if (i := chart.lexicon.observable_names.get(label))), "")


def read_observables(record: Record, ids: tuple[str, ...], naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    """What an Observation says of the observables that its code reports."""
    contradiction = _contradiction(record, ids, naming, chart)
    for i, observable in zip(ids, _of_origin(record, ids, chart), strict=True):
        if isinstance(observable, Gap):
            yield observable
            continue
        result = observed_in(record, observable, record.resource, chart, several=len(ids) > 1)
        result = replace(result, codes=chart.lexicon.observables[i].codes)
        if contradiction:
            yield found_as(result, SelfContradiction(contradiction))
        else:
            yield from _read(result)


def read_components(record: Record, chart: Chart) -> Iterator[Found | Gap]:
    """Observables whose value stands in a component: panels, and scores beside a report."""
    for component in objects(record.resource.get("component")):
        if chart.lexicon.observable_code_values.isdisjoint(codes_of(component.get("code"))):
            continue
        for i in chart.lexicon.observables_of(codings(component.get("code"))):
            yield from _read(observed_in(record, chart.lexicon.observables[i], component, chart))


def read_gene_result(record: Record, naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    """A variant or genotype whose gene stands in a component or extension and is none of the germline genes."""
    resource = record.resource
    of_variant = has_code(resource.get("code"), LOINC, VARIANT | OLD_GENE_VARIANT | GENOTYPE | HAPLOTYPE)
    fusion = _fusion_of(resource, chart)
    if of_variant and fusion is not None:
        yield from _read(observed_in(record, fusion, resource, chart))
        return
    genes = [s for s in naming.symbols if s in chart.lexicon.observable_genes and s not in chart.lexicon.genes]
    for symbol in genes:
        every = chart.lexicon.observable_genes[symbol]
        ids = tuple(i for i in every if _is_of_variants(i, chart))
        if not of_variant or not ids:
            detail = f"a result on {symbol} whose code is not known: {concept_label(resource.get('code'))}"
            yield Gap(record.reference, GapReason.UNKNOWN_CODE, detail, record.query, ids or every)
            continue
        for observable in _of_origin(record, ids[:1], chart):
            if isinstance(observable, Gap):
                yield observable
                continue
            result = observed_in(
                record, observable, resource, chart, several=len(genes) > 1 and not is_rearrangement(resource)
            )
            if naming.says:
                yield found_as(result, SelfContradiction(naming.says))
            else:
                yield from _read(result)


def _is_of_variants(observable: str, chart: Chart) -> bool:
    return observable.startswith(_OF_GENES) or chart.lexicon.observables[observable].needs_significance


def _fusion_of(resource: Resource, chart: Chart) -> Observable | None:
    """The observable that is called after the two genes of a finding, in either order: BCR and ABL1."""
    names = (" ".join(map(fold, genes)) for genes in permutations(fused_genes(resource)))
    found = next((i for name in names if (i := chart.lexicon.observable_names.get(name))), None)
    return chart.lexicon.observables[found] if found else None


def read_words(record: Record, ids: tuple[str, ...], text: str, chart: Chart) -> Iterator[Found]:
    """What a clause that names observables says of them, where it says nothing else: every number, and the call or
    the grade of the first that it suits."""
    is_called = False
    for observable in (chart.lexicon.observables[i] for i in ids):
        is_number = observable.kind is ObservableKind.QUANTITY
        if is_called and not is_number:
            continue
        result = observed_in(record, observable, {"valueString": text}, chart)
        statement, flags = _said(result)
        if isinstance(statement, Presence | Phenotype | Quantity | Between) and _is_plain(result):
            is_called = is_called or not is_number
            yield found_as(result, statement, flags)


def read_methods(record: Record, ids: tuple[str, ...], text: str, chart: Chart) -> Iterator[Found]:
    """What a clause says of the tests of the first of the observables that it names; nothing where it names none."""
    observable = chart.lexicon.observables[ids[0]]
    result = observed_in(record, observable, {"valueString": text}, chart)
    for part in parts_by_method(text, observable, chart.lexicon):
        yield from _of_part(part, result)


def _is_plain(result: Observed) -> bool:
    observable, text = result.observable, result.answer.quoted
    return observable.kind is ObservableKind.QUANTITY or is_plain_call(text, observable, result.chart.lexicon)


def read_variants(record: Record, sentences: tuple[str, ...], chart: Chart) -> Iterator[Found]:
    """What sentences say of genes of the tumour that they name themselves."""
    named = statements_by_gene(Answer(texts=sentences), NOT_TOLD, chart.lexicon)
    for gene in sorted(named.keys() - {NOT_TOLD} - chart.lexicon.inherited_too):
        result = Observed(record, chart.lexicon.observables[f"{SOMATIC}{gene}"], {}, Answer(texts=sentences), chart)
        for statement in named[gene]:
            if isinstance(statement, Presence):
                yield found_as(result, _judged(statement, result, named), flags_of_variant(result))


def _of_origin(record: Record, ids: tuple[str, ...], chart: Chart) -> Iterator[Observable | Gap]:
    """The observables, variants turned to the side that the result's origin says: germline and tumour are kept
    apart. A variant of the other side that we do not know of is told."""
    for i in ids:
        kind, _, gene = i.partition(":")
        origin = origin_of(record, chart) if _is_of_variants(i, chart) else ""
        is_of_patient = not i.startswith(_OF_GENES)
        if not origin or (is_of_patient and origin == "germline"):
            yield chart.lexicon.observables[i]
            continue
        turned = (f"{side}{gene}" for side in _SIDES.get(origin, ()) if not is_of_patient)
        found = next((one for one in turned if one in chart.lexicon.observables), "")
        if found:
            yield chart.lexicon.observables[found]
        else:
            is_inherited = kind == "somatic" and origin == "germline"
            reason = GapReason.NOT_SOMATIC if is_inherited else GapReason.NOT_GERMLINE
            yield Gap(record.reference, reason, origin, record.query)


def _contradiction(record: Record, ids: tuple[str, ...], naming: GeneNaming, chart: Chart) -> tuple[str, ...]:
    """What is said where words beside the code name something else than the code does."""
    if naming.says:
        return naming.says
    texts = concept_texts(record.resource.get("code"))
    against = [word for i in ids for word in chart.lexicon.observables[i].contradicted_by]
    by_word = any(has_word(against, fold(text)) for text in texts)
    named = {i for text in texts if (i := chart.lexicon.observable_names.get(fold(text)))}
    told = {i for own in ids for i in (own, *chart.lexicon.observables[own].beside)}
    return (*ids, *texts) if by_word or (named and not named & told) else ()


def _read(result: Observed) -> Iterator[Found | Gap]:
    """What the value says of the observable, and of other genes of the tumour that its words name."""
    record, answer, holder = result.record, result.answer, result.holder
    may_be_of_copies = result.is_of_variants and not result.observable.needs_significance
    if may_be_of_copies and is_of_copies(record.resource):
        yield _of_copies(result)
        return
    has_parts = _has_parts(holder)
    if answer.is_empty and not _is_interpreted(result, has_parts=has_parts):
        if answer.is_unsent and has_code(holder.get("code"), LOINC, VARIANT):
            yield found_as(result, NotReadable(GapReason.NO_VALUE))
        elif answer.missing or not has_parts:
            yield Gap(record.reference, GapReason.NO_VALUE, answer.missing or "no value", record.query)
        return
    if answer.is_taken_back:
        yield found_as(result, NotReadable(TAKEN_BACK_BY_REASON))
        return
    told = _by_method(result) or _by_variant(result)
    if told:
        yield from told
        return
    if may_be_of_copies and any(map(tells_copies, answer.texts)):
        yield _of_copies(result)
        return
    beside = list(_beside(result))
    yield from beside
    statement, flags = _said(result)
    if beside and isinstance(statement, NotReadable):
        return
    if isinstance(statement, NotReadable) and statement.reason is GapReason.UNIT_NOT_KNOWN:
        value = answer.quantity or quantity_in_text(answer)
        unit = (value.unit if value is not None else "") or "none"
        yield Gap(record.reference, GapReason.UNKNOWN_UNIT, f"{result.observable.id} in {unit}", record.query)
    yield found_as(result, statement, flags)


def _by_method(result: Observed) -> list[Found | Gap]:
    """What the value says of the tests of its marker whose methods it names, and what else it says; empty where it is
    of one."""
    answer, lexicon = result.answer, result.chart.lexicon
    by_text = {text: parts for text in answer.texts if (parts := parts_by_method(text, result.observable, lexicon))}
    if len(by_text) != 1:
        return []
    ((text, parts),) = by_text.items()
    rest = replace(answer, texts=tuple(other for other in answer.texts if other != text))
    beside = [] if rest.is_empty else list(_read(replace(result, answer=rest)))
    return [*beside, *(one for part in parts for one in _of_part(part, result))]


def _of_part(part: Part, result: Observed) -> Iterator[Found]:
    """What a part of a value says, where it says nothing else."""
    of_test = _as_other(result, part.observable, Answer(texts=(part.text,)))
    beside = list(_beside(of_test))
    yield from beside
    statement, flags = _said(of_test) if part.text and _is_plain(of_test) else (NOT_UNDERSTOOD, ())
    if not (beside and isinstance(statement, NotReadable)):
        yield found_as(of_test, statement, flags)


def _as_other(result: Observed, observable: str, answer: Answer) -> Observed:
    """The result as that of another observable than its code's."""
    if observable == result.observable.id:
        return replace(result, answer=answer)
    return replace(result, observable=result.chart.lexicon.observables[observable], answer=answer, codes=())


def _of_copies(result: Observed) -> Gap:
    """That it is told how often a gene is there, which settles no variant of it."""
    observable, record = result.observable, result.record
    detail = f"how often {observable.gene} is there, which is no variant of it"
    return Gap(record.reference, GapReason.COPY_NUMBER, detail, record.query, (observable.id,))


def _has_parts(holder: Resource) -> bool:
    """Whether it consists of further results. The components of a single variant only describe it."""
    describing = has_code(holder.get("code"), LOINC, VARIANT)
    return bool(objects(holder.get("hasMember")) or (objects(holder.get("component")) and not describing))


def _beside(result: Observed) -> Iterator[Found]:
    """What the value tells of other observables: a number that it calls by their name, the call beside a number, or a
    grade that is none of its own."""
    own = result.observable
    for i in own.beside:
        other = replace(result, observable=result.chart.lexicon.observables[i], codes=())
        if ObservableKind.QUANTITY in {own.kind, other.observable.kind}:
            is_told = other.observable.kind is not ObservableKind.QUANTITY or _is_called(other)
        else:
            is_told = not states_said(result, plainly=True)
        statement, flags = _said(other) if is_told else (NOT_UNDERSTOOD, ())
        if not isinstance(statement, NotReadable | Undetermined | SelfContradiction):
            yield found_as(other, statement, flags)


def _is_called(result: Observed) -> bool:
    """Whether the value or the label beside the code names the observable."""
    texts = (*result.answer.texts, *concept_texts(result.holder.get("code")))
    return any(is_called_in(text, result.observable) for text in texts)


def _variants(result: Observed) -> Mapping[str, tuple[Statement, ...]]:
    """Gene -> what the words of the value say of it, where they name variants or other genes."""
    observable, lexicon = result.observable, result.chart.lexicon
    if not observable.id.startswith(SOMATIC) or lexicon.takes_back(result.answer.texts):
        return {}
    said = set(interpreted(result.holder))
    call = said.pop() if len(said) == 1 else None
    call = True if significance_in(result.answer) else call
    own = NOT_TOLD if result.several else observable.gene
    if "interpretation" not in result.holder and is_one_alone(result.answer, own, lexicon):
        call = True
    named = statements_by_gene(result.answer, own, lexicon, interpreted=call)
    return {} if result.several and observable.gene not in named else named


def _by_variant(result: Observed) -> list[Found | Gap]:
    """What the value says of the variants and genes that it names; empty where it names none."""
    named = _variants(result)
    return [*_read_variants(result, named)] if named else []


def _read_variants(result: Observed, named: Mapping[str, tuple[Statement, ...]]) -> Iterator[Found | Gap]:
    own = result.observable.gene
    if own and own not in named and not named.keys() <= {NOT_TOLD}:
        yield found_as(result, SelfContradiction((own, *says_of(result.answer))))
        return
    others = () if result.several else tuple(named.keys() - {own, NOT_TOLD})
    for statement in named.get(own, (NOT_UNDERSTOOD,) if own or not others else ()):
        present = isinstance(statement, Presence) and statement.present
        judged = _judged(statement, result, named)
        yield found_as(result, judged, flags_of_variant(result, present=present))
    for gene in sorted(others):
        of_gene = replace(result, observable=result.chart.lexicon.observables[f"{SOMATIC}{gene}"], codes=())
        told = (_judged(statement, of_gene, named) for statement in named[gene])
        yield from (found_as(of_gene, statement, flags_of_variant(of_gene)) for statement in told)


def _judged(statement: Statement, result: Observed, named: Mapping[str, tuple[Statement, ...]]) -> Statement:
    """A variant that words name, with what the laboratory thinks of it: by the words where they name no other."""
    if not (isinstance(statement, Presence) and statement.present):
        return statement
    there = [one for said in named.values() for one in said if isinstance(one, Presence) and one.present]
    in_value = significance_in(result.answer) if len(there) == 1 else NOT_SAID
    return replace(statement, significance=significance_said(result, in_value))


def _is_interpreted(result: Observed, *, has_parts: bool) -> bool:
    """Whether an interpretation tells of a result without a value. Of a panel any but found or not found may be that
    of its parts."""
    found = interpreted(result.holder) if has_parts else items(result.holder.get("interpretation"))
    return result.answer.is_unsent and bool(found)


def _said(result: Observed) -> tuple[Statement, tuple[str, ...]]:
    """What the value says, and flags."""
    match result.observable.kind:
        case ObservableKind.QUANTITY:
            return measured(result)
        case ObservableKind.ORDINAL:
            return graded(result), ()
        case ObservableKind.GENOTYPE:
            return genotype_said(result), ()
    if result.observable.unit and (result.answer.quantity or quantity_in_text(result.answer)):
        return measured(result)
    return presence_said(result)
