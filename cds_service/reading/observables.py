"""Results that are no germline genes: laboratory values, serologies, intervals, tumour markers, variants of tumours,
and genotypes that no guidance asks about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cds_service.codes import LOINC
from cds_service.knowledge.schema import CodeRole, Observable, ObservableKind, ObservationCode
from cds_service.knowledge.variant_names import first_variant
from cds_service.model import (
    Diplotype,
    Gap,
    GapReason,
    NotReadable,
    Phenotype,
    Presence,
    Quantity,
    SelfContradiction,
    Significance,
    Statement,
    Undetermined,
)
from cds_service.reading.alleles import without_symbol
from cds_service.reading.answers import Answer, answer_of, interpreted, presence_disagrees, presence_of
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming
from cds_service.reading.named_variants import statements_by_gene
from cds_service.reading.provenance import origin_of
from cds_service.reading.quantities import above_reference, in_unit_of, is_implausible, quantity_in_text
from cds_service.reading.readings import TAKEN_BACK_BY_REASON, Found, How, finding, says_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import (
    Resource,
    codes_of,
    codings,
    concept_label,
    concept_texts,
    fold,
    has_code,
    items,
    objects,
)
from cds_service.reading.significance import (
    NOT_SAID,
    agreed,
    denies_harm,
    is_unclear,
    significance_beside,
    significance_in,
    without_significance,
)
from cds_service.reading.tumour_words import (
    Words,
    is_called_in,
    is_plain_call,
    is_share_of_none,
    quantity_among_words,
    states_in,
)
from cds_service.reading.variant_sentences import NOT_TOLD, is_mixed, variants_in
from cds_service.reading.variants import fusion_of, names_of, variant_flags
from cds_service.reading.vocabulary import (
    GENOTYPE,
    HAPLOTYPE,
    OLD_GENE_VARIANT,
    POSITIVE_CALLS,
    VARIANT,
)

_POSITIVE, _NEGATIVE = "positive", "negative"
_GERMLINE, _SOMATIC = "germline:", "somatic:"
_OF_VARIANTS = (_GERMLINE, _SOMATIC)
_OF_GENES = ("gene:", *_OF_VARIANTS)
_SIDES = {"germline": (_GERMLINE, "gene:"), "somatic": (_SOMATIC,)}
"""Origin of a result -> the kinds of observables that are of it."""
_TUMOUR = "tumour:"
_OF_TUMOUR = (*_OF_VARIANTS, _TUMOUR)
_NOT_UNDERSTOOD = NotReadable(GapReason.NOT_UNDERSTOOD)


@dataclass(frozen=True, slots=True)
class _Result:
    """One value to be read: of an Observation itself or of a component (`holder`); `several` where the same value
    stands for several genes."""

    record: Record
    observable: Observable
    holder: Resource
    answer: Answer
    chart: Chart
    several: bool = False
    codes: tuple[ObservationCode, ...] = ()
    """Those of the observable that its code reports, where its origin turned it to another."""

    @property
    def is_of_variants(self) -> bool:
        """Whether it is about variants, inherited or of a tumour."""
        return self.observable.id.startswith(_OF_VARIANTS)


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
        result = _result(record, observable, record.resource, chart, several=len(ids) > 1)
        result = replace(result, codes=chart.lexicon.observables[i].codes)
        if contradiction:
            yield _found(result, SelfContradiction(contradiction))
        else:
            yield from _read(result)


def read_components(record: Record, chart: Chart) -> Iterator[Found | Gap]:
    """Observables whose value stands in a component: panels, and scores beside a report."""
    for component in objects(record.resource.get("component")):
        if chart.lexicon.observable_code_values.isdisjoint(codes_of(component.get("code"))):
            continue
        for i in chart.lexicon.observables_of(codings(component.get("code"))):
            yield from _read(_result(record, chart.lexicon.observables[i], component, chart))


def read_gene_result(record: Record, naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    """A variant or genotype whose gene stands in a component or extension and is none of the germline genes."""
    resource = record.resource
    of_variant = has_code(resource.get("code"), LOINC, VARIANT | OLD_GENE_VARIANT | GENOTYPE | HAPLOTYPE)
    genes = [s for s in naming.symbols if s in chart.lexicon.observable_genes and s not in chart.lexicon.genes]
    for symbol in genes:
        ids = tuple(i for i in chart.lexicon.observable_genes[symbol] if i.startswith(_OF_GENES))
        if not of_variant or not ids:
            detail = f"a result on {symbol} whose code is not known: {concept_label(resource.get('code'))}"
            yield Gap(record.reference, GapReason.UNKNOWN_CODE, detail, record.query)
            continue
        for observable in _of_origin(record, ids[:1], chart):
            if isinstance(observable, Gap):
                yield observable
                continue
            result = _result(record, observable, resource, chart, several=len(genes) > 1)
            if naming.says:
                yield _found(result, SelfContradiction(naming.says))
            else:
                yield from _read(result)


def read_words(record: Record, ids: tuple[str, ...], text: str, chart: Chart) -> Iterator[Found]:
    """What a clause that names observables says of them, where it says nothing else: every number, and the call or
    the grade of the first that it suits."""
    is_called = False
    for observable in (chart.lexicon.observables[i] for i in ids):
        is_number = observable.kind is ObservableKind.QUANTITY
        if is_called and not is_number:
            continue
        result = _result(record, observable, {"valueString": text}, chart)
        statement, flags = _said(result)
        if isinstance(statement, Presence | Phenotype | Quantity) and _is_plain(result):
            is_called = is_called or not is_number
            yield _found(result, statement, flags)


def _is_plain(result: _Result) -> bool:
    observable, text = result.observable, result.answer.quoted
    return observable.kind is ObservableKind.QUANTITY or is_plain_call(text, observable, result.chart.lexicon)


def read_variants(record: Record, sentences: tuple[str, ...], chart: Chart) -> Iterator[Found]:
    """What sentences say of genes of the tumour that they name themselves."""
    named = statements_by_gene(Answer(texts=sentences), NOT_TOLD, chart.lexicon)
    for gene in sorted(named.keys() - {NOT_TOLD} - chart.lexicon.inherited_too):
        result = _Result(record, chart.lexicon.observables[f"{_SOMATIC}{gene}"], {}, Answer(texts=sentences), chart)
        for statement in named[gene]:
            if isinstance(statement, Presence):
                yield _found(result, _judged(statement, result, named), _variant_flags(result))


def _of_origin(record: Record, ids: tuple[str, ...], chart: Chart) -> Iterator[Observable | Gap]:
    """The observables, variants turned to the side that the result's origin says: germline and tumour are kept
    apart. A variant of the other side that we do not know of is told."""
    for i in ids:
        kind, _, gene = i.partition(":")
        origin = origin_of(record, chart) if i.startswith(_OF_GENES) else ""
        if not origin:
            yield chart.lexicon.observables[i]
            continue
        turned = (f"{side}{gene}" for side in _SIDES.get(origin, ()))
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
    by_word = any(f" {word} " in f" {fold(text)} " for text in texts for word in against)
    named = {i for text in texts if (i := chart.lexicon.observable_names.get(fold(text)))}
    told = {i for own in ids for i in (own, *chart.lexicon.observables[own].beside)}
    return (*ids, *texts) if by_word or (named and not named & told) else ()


def _result(
    record: Record, observable: Observable, holder: Resource, chart: Chart, *, several: bool = False
) -> _Result:
    return _Result(record, observable, holder, answer_of(holder), chart, several)


def _read(result: _Result) -> Iterator[Found | Gap]:
    """What the value says of the observable, and of other genes of the tumour that its words name."""
    record, answer, holder = result.record, result.answer, result.holder
    has_parts = bool(objects(holder.get("component")) or objects(holder.get("hasMember")))
    if answer.is_empty and not _is_interpreted(result, has_parts=has_parts):
        if answer.missing or not has_parts:
            yield Gap(record.reference, GapReason.NO_VALUE, answer.missing or "no value", record.query)
        return
    if answer.is_taken_back:
        yield _found(result, NotReadable(TAKEN_BACK_BY_REASON))
        return
    named = _variants(result)
    if named:
        yield from _read_variants(result, named)
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
    yield _found(result, statement, flags)


def _beside(result: _Result) -> Iterator[Found]:
    """What the value tells of other observables: a number that it calls by their name, the call beside a number, or a
    grade that is none of its own."""
    own = result.observable
    for i in own.beside:
        other = replace(result, observable=result.chart.lexicon.observables[i], codes=())
        if ObservableKind.QUANTITY in {own.kind, other.observable.kind}:
            is_told = other.observable.kind is not ObservableKind.QUANTITY or _is_called(other)
        else:
            is_told = not _states(result, plainly=True)
        statement, flags = _said(other) if is_told else (_NOT_UNDERSTOOD, ())
        if not isinstance(statement, NotReadable | Undetermined | SelfContradiction):
            yield _found(other, statement, flags)


def _is_called(result: _Result) -> bool:
    """Whether the value or the label beside the code names the observable."""
    texts = (*result.answer.texts, *concept_texts(result.holder.get("code")))
    return any(is_called_in(text, result.observable) for text in texts)


def _variants(result: _Result) -> Mapping[str, tuple[Statement, ...]]:
    """Gene -> what the words of the value say of it, where they name variants or other genes."""
    observable, lexicon = result.observable, result.chart.lexicon
    if not observable.id.startswith(_SOMATIC) or lexicon.takes_back(result.answer.texts):
        return {}
    said = set(interpreted(result.holder))
    call = said.pop() if len(said) == 1 else None
    call = True if significance_in(result.answer) else call
    own = NOT_TOLD if result.several else observable.gene
    named = statements_by_gene(result.answer, own, lexicon, interpreted=call)
    return {} if result.several and observable.gene not in named else named


def _read_variants(result: _Result, named: Mapping[str, tuple[Statement, ...]]) -> Iterator[Found | Gap]:
    own = result.observable.gene
    if own and own not in named and not named.keys() <= {NOT_TOLD}:
        yield _found(result, SelfContradiction((own, *says_of(result.answer))))
        return
    others = () if result.several else tuple(named.keys() - {own, NOT_TOLD})
    for statement in named.get(own, (_NOT_UNDERSTOOD,) if own or not others else ()):
        present = isinstance(statement, Presence) and statement.present
        judged = _judged(statement, result, named)
        yield _found(result, judged, _variant_flags(result, present=present))
    for gene in sorted(others):
        of_gene = replace(result, observable=result.chart.lexicon.observables[f"{_SOMATIC}{gene}"], codes=())
        told = (_judged(statement, of_gene, named) for statement in named[gene])
        yield from (_found(of_gene, statement, _variant_flags(of_gene)) for statement in told)


def _judged(statement: Statement, result: _Result, named: Mapping[str, tuple[Statement, ...]]) -> Statement:
    """A variant that words name, with what the laboratory thinks of it: by the words where they name no other."""
    if not (isinstance(statement, Presence) and statement.present):
        return statement
    there = [one for said in named.values() for one in said if isinstance(one, Presence) and one.present]
    in_value = significance_in(result.answer) if len(there) == 1 else NOT_SAID
    return replace(statement, significance=_significance(result, in_value))


def _is_interpreted(result: _Result, *, has_parts: bool) -> bool:
    """Whether an interpretation tells of a result without a value. Of a panel any but found or not found may be that
    of its parts."""
    found = interpreted(result.holder) if has_parts else items(result.holder.get("interpretation"))
    return result.answer.is_unsent and bool(found)


def _said(result: _Result) -> tuple[Statement, tuple[str, ...]]:
    """What the value says, and flags."""
    match result.observable.kind:
        case ObservableKind.QUANTITY:
            return _measured(result)
        case ObservableKind.ORDINAL:
            return _graded(result), ()
        case ObservableKind.GENOTYPE:
            return _genotype(result), ()
    if result.observable.unit and (result.answer.quantity or quantity_in_text(result.answer)):
        return _measured(result)
    return _present(result)


def _measured(result: _Result) -> tuple[Statement, tuple[str, ...]]:
    answer, observable = result.answer, result.observable
    value = answer.quantity or _among_words(result) or quantity_in_text(answer)
    if value is None:
        return (Undetermined(answer.quoted) if answer.undetermined else NotReadable(GapReason.NO_NUMBER)), ()
    converted = in_unit_of(observable, value, result.chart.lexicon.unit_spellings)
    if converted is None:
        return NotReadable(GapReason.UNIT_NOT_KNOWN), ()
    flags = () if answer.quantity else ("value_in_text",)
    if is_implausible(observable, converted):
        # Most likely in another unit than it says: it neither warns nor clears.
        return NotReadable(GapReason.IMPLAUSIBLE), (*flags, "implausible")
    return converted, flags


def _among_words(result: _Result) -> Quantity | None:
    """The value of a tumour's marker that words stand around."""
    observable, lexicon = result.observable, result.chart.lexicon
    texts = result.answer.texts if observable.in_words and not lexicon.takes_back(result.answer.texts) else ()
    found = {value for text in texts if (value := quantity_among_words(text, observable, lexicon)) is not None}
    return found.pop() if len(found) == 1 else None


def _graded(result: _Result) -> Statement:
    refines = result.observable.refines
    said = _states(result)
    fine = said - {refines[state] for state in said if state in refines}
    if len(fine) > 1:
        return SelfContradiction(says_of(result.answer))
    if fine:
        return Phenotype(fine.pop())
    return Undetermined(result.answer.quoted) if result.answer.undetermined else _NOT_UNDERSTOOD


def _states(result: _Result, *, plainly: bool = False) -> set[str]:
    """The states that codes, words and, where there is no value, the interpretation mean; `plainly` those that codes
    and words name alone."""
    answer, answers = result.answer, result.observable.answers
    said = {answers[c.code] for c in answer.codings if c.code in answers}
    said |= {s for text in answer.texts if (s := answers.get(fold(text)))}
    words = _words_of_tumour(result) if not said else ()
    said |= {state for told in words if told.is_plain for state in told.states}
    if said or plainly:
        return said
    if _POSITIVE in answers.values() and (found := presence_of(answer)) is not None:
        said = {_POSITIVE if found else _NEGATIVE}
        if not all(told.states <= said for told in words):
            return set()
    if answer.is_empty or ((answer.quantity or answer.unread) and not said):
        said |= {_POSITIVE if found else _NEGATIVE for found in _found_or_not(result)}
    return said


def _words_of_tumour(result: _Result) -> tuple[Words, ...]:
    """What labels of a tumour's marker say among other words."""
    observable, lexicon = result.observable, result.chart.lexicon
    if not observable.id.startswith(_TUMOUR):
        return ()
    return tuple(states_in(text, observable, lexicon) for text in result.answer.texts)


def _found_or_not(result: _Result) -> set[bool]:
    return {found for found in interpreted(result.holder) if found is not None}


def _found_by_reference(result: _Result) -> set[bool]:
    """Whether a number means found, where the observable is one that is held against its reference range."""
    value = result.answer.quantity or quantity_in_text(result.answer)
    if value is None or not result.observable.found_above_reference:
        return set()
    above = above_reference(result.holder, value)
    return set() if above is None else {above}


def _genotype(result: _Result) -> Statement:
    answer = result.answer
    if answer.unread:
        return _NOT_UNDERSTOOD
    texts = {without_symbol(text, result.observable.gene) for text in answer.texts} or {answer.quoted}
    if len(texts) > 1:
        return SelfContradiction(says_of(answer))
    if has_code(result.record.resource.get("code"), LOINC, HAPLOTYPE):
        return Presence(texts.pop(), present=True)
    return Diplotype(texts.pop())


def _present(result: _Result) -> tuple[Statement, tuple[str, ...]]:
    answer = result.answer
    in_value = significance_in(answer) if result.is_of_variants else NOT_SAID
    said = {True} if in_value else _presences(result)
    told = said if result.is_of_variants else said | _found_or_not(result)
    if len(told) > 1 or (presence_disagrees(answer) and not in_value):
        return SelfContradiction(says_of(answer)), ()
    if result.is_of_variants and is_unclear(answer):
        return _NOT_UNDERSTOOD, ()
    if not said:
        left_open = answer.undetermined or None in interpreted(result.holder)
        return (Undetermined(answer.quoted) if left_open else _NOT_UNDERSTOOD), ()
    texts = map(without_significance, answer.texts) if result.is_of_variants else answer.texts
    if result.chart.lexicon.takes_back(texts) or (not in_value and _is_mixed(result)):
        return _NOT_UNDERSTOOD, ()
    present = said.pop()
    if present and _is_of_none(result):
        return _NOT_UNDERSTOOD, ()
    if result.several and present:
        return NotReadable(GapReason.SEVERAL_GENES), ()
    significance = _significance(result, in_value) if present else NOT_SAID
    return Presence(_variant(result, present=present), present, significance), _variant_flags(result, present=present)


def _presences(result: _Result) -> set[bool]:
    """What the value says of presence, by its states, codes and words."""
    by_value = presence_of(result.answer)
    said = {state == _POSITIVE for state in _states(result)} | ({by_value} if by_value is not None else set())
    said = (said or _called_in_sentences(result)) | _found_by_reference(result)
    # Beside the denial of harm a variant that is there is a harmless one.
    return {False} if result.is_of_variants and denies_harm(result.answer) else said


def _significance(result: _Result, in_value: Significance) -> Significance:
    """What the laboratory thinks of a variant that it found: said in the value or beside it, or by calling the test
    of the whole gene positive."""
    if not result.is_of_variants:
        return NOT_SAID
    beside = significance_beside(result.record, result.holder, result.chart)
    said = agreed((in_value, beside))
    is_called = result.observable.needs_significance and _code_of(result) is not None and _calls_positive(result)
    return said or (Significance.PATHOGENIC if is_called else NOT_SAID)


def _calls_positive(result: _Result) -> bool:
    """Whether the value, or the interpretation of an empty one, says positive and not merely found."""
    answer = result.answer
    texts = list(answer.texts)
    found = [*answer.codings]
    if answer.is_empty:
        concepts = items(result.holder.get("interpretation"))
        found += [c for concept in concepts for c in codings(concept)]
        texts += [text for concept in concepts for text in concept_texts(concept)]
    return any(c.code in POSITIVE_CALLS for c in found) or any(" positive " in f" {fold(text)} " for text in texts)


def _called_in_sentences(result: _Result) -> set[bool]:
    """The calls of a text on a gene of the tumour in words of their own: `wild type`, `mutated`."""
    if not result.observable.id.startswith(_SOMATIC) or result.several:
        return set()
    own, lexicon = result.observable.gene, result.chart.lexicon
    found = [one for text in result.answer.texts for one in variants_in(text, own, lexicon)]
    return {bool(one.present) for one in found} if all(one.clear for one in found) else set()


def _is_mixed(result: _Result) -> bool:
    """Whether words say of a tumour both that something was found and that something was not."""
    of_tumour = result.observable.id.startswith(_OF_TUMOUR) and not denies_harm(result.answer)
    return of_tumour and any(is_mixed(text, result.chart.lexicon) for text in result.answer.texts)


def _is_of_none(result: _Result) -> bool:
    """Whether words call a share positive that may be none."""
    return result.observable.id.startswith(_TUMOUR) and any(map(is_share_of_none, result.answer.texts))


def _variant(result: _Result, *, present: bool) -> str:
    """The variant found or not found, as its code or its components name it; empty for the observable itself."""
    coded = _code_of(result)
    if coded is not None and coded.allele:
        return coded.allele
    if not result.observable.gene:
        return "" if present else _variant_missed(result)
    resource = result.record.resource
    name = next(iter(names_of(resource)), "")
    return name or (fusion_of(resource) if present else _variant_missed(result))


def _variant_missed(result: _Result) -> str:
    """The variant that words say was not found: of others they say nothing."""
    of_tumour = result.observable.id.startswith(_OF_TUMOUR)
    return next((name for text in result.answer.texts if (name := first_variant(text))), "") if of_tumour else ""


def _variant_flags(result: _Result, *, present: bool = False) -> tuple[str, ...]:
    flags = list(variant_flags(result.record.resource, present=present))
    if result.is_of_variants and not origin_of(result.record, result.chart):
        flags.append("origin_not_said")
    coded = _code_of(result)
    if coded is not None and coded.role == CodeRole.REPORT:
        flags.append("score_not_coded")
    return tuple(flags)


def _code_of(result: _Result) -> ObservationCode | None:
    """The code by which the value was recognised; None for one found by its gene or its label."""
    own = {(c.system or LOINC, c.code) for c in codings(result.holder.get("code"))}
    return next((c for c in result.codes or result.observable.codes if (c.system, c.code) in own), None)


def _found(result: _Result, statement: Statement, flags: tuple[str, ...] = ()) -> Found:
    observable = result.observable
    named = any(coding.system for coding in codings(result.holder.get("code")))
    known = bool(observable.gene) or (named and _code_of(result) is not None)
    in_sentence = result.record.kind == "DiagnosticReport"
    texts = (*result.answer.texts, *concept_texts(result.holder.get("code")))
    specimen = result.chart.lexicon.liquid_in(texts) if observable.id.startswith(_OF_TUMOUR) else ""
    how = How(
        flags,
        specimen=specimen,
        free_text=in_sentence or not known,
        needs_no_status=observable.kind is ObservableKind.QUANTITY,
    )
    return finding(result.record, observable.id, statement, result.answer, result.chart, how=how)
