"""Names, states, options and doses in words. Everything returned is plain text; the sentences are the
catalogue's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.nomenclature import WITH_ANY
from cds_service.knowledge.schema import Gene
from cds_service.memory import remembered_by_identity
from cds_service.model import (
    Action,
    Amount,
    Branch,
    ChangeProbability,
    DoseArithmetic,
    DoseChange,
    Finding,
    Gap,
    Option,
    Order,
    Outcome,
    Span,
    TestQuestion,
    UsedFact,
    When,
)
from cds_service.writing.text import clean, number
from cds_service.writing.wording import Wording, spaced


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """What `{drug}` and `{gene}` stand for in a phrase. `Words.about` gives the same object for the same names: what
    is remembered of it goes by its identity.
    """

    drug: str
    gene: str

    def names(self) -> dict[str, str]:
        return {"drug": self.drug, "gene": self.gene}


@remembered_by_identity
def words_of(knowledge: Knowledge, wording: Wording) -> Words:
    """The words of a knowledge in a wording: the same ones in every answer, so that they may be remembered."""
    return Words(knowledge, wording)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Says the things of one knowledge in one wording."""

    knowledge: Knowledge
    wording: Wording

    def drug(self, drug: str) -> str:
        """The display name of a drug id, or the name as ordered where the drug is not known."""
        known = self.knowledge.drugs.get(drug)
        return (known.display or known.id) if known else clean(drug)

    def drug_of(self, finding: Finding) -> str:
        """The finding's drug, or a stand-in for an order that shows no name."""
        unnamed = "medicines" if finding.is_of_list else "unknown_drug"
        return self.drug(finding.drug) or clean(finding.order.name) or self.wording.say("names", unnamed)

    def order(self, order: Order) -> str:
        """The drugs of an order, or its name where none was recognised."""
        return self.wording.any_of([self.drug(drug) for drug in order.ingredients]) or clean(order.name)

    @remembered_by_identity
    def marker(self, marker: str) -> str:
        """`gene:CYP2C19` -> CYP2C19, `hla:B*57:01` -> HLA-B*57:01, `tumour:ERBB2` -> HER2."""
        kind, _, name = marker.partition(":")
        has_own_name = kind in {"lab", "derived", "fact", "tumour"}
        return self.wording.say("markers", kind, name=self._own_name(name) if has_own_name else name)

    def _own_name(self, name: str) -> str:
        """A marker's own name where the phrases have one, else its id with spaces."""
        return self.wording.phrases.get(f"marker_{name}", spaced(name))

    @remembered_by_identity
    def markers(self, markers: tuple[str, ...], last: str = "and") -> str:
        return self.wording.any_of(tuple(dict.fromkeys(self.marker(marker) for marker in markers)), last)

    def test(self, question: TestQuestion) -> str:
        """The name of a test: its phrase, else the marker's name with "test"; for a recheck, when it is due."""
        test = self.knowledge.tests.get(question.test)
        if test and test.label:
            name = self.wording.phrase(test.label)
        else:
            name = self.wording.say("names", "test", markers=self.marker(question.marker))
        if question.due_days is None:
            return name
        days = self.range_of(question.due_days)
        return self.wording.say("names", "recheck", test=name, days=days)

    def day(self, day: When | None) -> str:
        """The day, or the month or year where no more was told."""
        if day is None:
            return self.wording.say("dates", "unknown")
        if isinstance(day, Span):
            return self._span(day)
        month = self.wording.say("months", str(day.month))
        return self.wording.say("dates", "known", day=day.day, month=month, year=day.year)

    def _span(self, span: Span) -> str:
        first = span.earliest
        if first.month != span.latest.month:
            return self.wording.say("dates", "year", year=first.year)
        month = self.wording.say("months", str(first.month))
        return self.wording.say("dates", "month", month=month, year=first.year)

    def used(self, used: UsedFact) -> str:
        """`age 72`, `omeprazole (since 3 May 2024)`, `atrial fibrillation (1 June 2020)`."""
        name = clean(used.name) or self.wording.say("facts", used.fact)
        fact = self.wording.say("used", used.fact, name=name, value=self._numbers(used))
        if used.on is None:
            return fact
        key = "since" if used.fact == "comedication" else "dated"
        return self.wording.say("used", key, fact=fact, day=self.day(used.on))

    def _numbers(self, used: UsedFact) -> str:
        low = number(round(used.value or 0, 2))
        if used.at_most is None:
            return low
        return self.wording.say("used", "range", low=low, high=number(round(used.at_most, 2)))

    def gap(self, gap: Gap, order: str) -> str:
        """What is missing and why. `about` may be a query, a fact, a marker, a reference or a name as ordered; what
        is about the `order` itself (its reference) needs no naming."""
        reason, about = self.wording.say("gap_reasons", gap.reason), clean(self._about(gap.about))
        key = "one" if about and gap.about != order else "order"
        return self.wording.say("gaps", key, about=about, reason=reason)

    def _about(self, about: str) -> str:
        for group in ("queries", "facts"):
            if about in self.wording.catalogue[group]:
                return self.wording.say(group, about)
        return self.marker(about) if about.partition(":")[0] in self.wording.catalogue["markers"] else about

    @remembered_by_identity
    def result(self, marker: str, state: str) -> str:
        """Marker and state as a noun phrase: `CYP2D6 poor metaboliser`."""
        return f"{self.marker(marker)} {self.wording.say_or_spell('states', self.term(marker, state))}"

    def given(self, branch: Branch) -> str:
        """` with HER2 negative`: the other results with which an outcome is so; "" where it is so in any case."""
        results = self.wording.any_of([f"{self.marker(m)} {self.states(m, states)}" for m, states in branch.given])
        return self.wording.say("outcomes", "given", results=results) if results else ""

    @remembered_by_identity
    def state(self, marker: str, state: str) -> str:
        """`poor metaboliser`, `activity score 1.0 (intermediate metaboliser)`, `positive`."""
        term = self.term(marker, state)
        words = self._stated(term)
        return words if term == state else self.wording.say("state_forms", "score", score=state, term=words)

    def term(self, marker: str, state: str) -> str:
        """The phenotype term that a score stands under; the state itself where it stands under none."""
        gene = self._gene(marker)
        terms = [term for term, states in gene.phenotypes.items() if state in states] if gene else []
        return state if not terms or state in terms else terms[0]

    @remembered_by_identity
    def states(self, marker: str, states: tuple[str, ...], last: str = "or") -> str:
        """Several states; the scores of a gene are gathered under the phenotype terms they belong to."""
        left = list(dict.fromkeys(states))
        gene = self._gene(marker)
        said: list[str] = []
        for term, of_term in gene.phenotypes.items() if gene else ():
            here = [state for state in of_term if state in left]
            if here:
                said.append(self._term(term, here, whole=len(here) == len(of_term)))
                left = [state for state in left if state not in here]
        said += [self._stated(state) for state in left]
        return self.wording.any_of(_without_repeated_ending(said), last)

    def _stated(self, state: str) -> str:
        """A state that stands for itself; `*3/any` is a genotype that contains the allele."""
        if state.endswith(WITH_ANY):
            return self.wording.say("state_forms", "contains", allele=state.removesuffix(WITH_ANY))
        return self.wording.say_or_spell("states", state)

    def _term(self, term: str, scores: Sequence[str], *, whole: bool) -> str:
        words = self.wording.say_or_spell("states", term)
        if whole:
            return words
        return self.wording.say(
            "state_forms", "some_scores", term=words, scores=self.wording.any_of(tuple(scores), "or")
        )

    def _gene(self, marker: str) -> Gene | None:
        kind, _, symbol = marker.partition(":")
        return self.knowledge.genes.get(symbol) if kind == "gene" else None

    def option(self, option: Option, about: About) -> str:
        """`choose another drug`, `start with 50 % of the usual dose, if no alternative works`."""
        say, phrase = self.wording.say, self.wording.phrase
        words = self.dose(option.dose) if option.dose else self.act(option)
        if option.alternative_class:
            key = "class_alternative" if option.action is Action.ALTERNATIVE else "class"
            words = say(
                "option_forms", key, action=words, **{"class": phrase(option.alternative_class, **about.names())}
            )
        if option.note:
            words = say("option_forms", "note", action=words, note=phrase(option.note, **about.names()))
        if option.only_if:
            words = say("option_forms", "only_if", action=words, only_if=self.only_if(option, about))
        return words

    def act(self, option: Option) -> str:
        """The bare action of an option: `avoid`, `start with 50 % of the usual dose`."""
        if option.dose:
            return self.dose(replace(option.dose, frequency="", applies_above=()))
        return self.wording.say("actions", option.action)

    def act_if(self, option: Option, about: About) -> str:
        """The bare action and its condition, for a summary: what is advised in one case only is never said of all."""
        act = self.act(option)
        if not option.only_if:
            return act
        return self.wording.say("option_forms", "only_if", action=act, only_if=self.only_if(option, about))

    def act_on_condition(self, option: Option) -> str:
        """The bare action, and that there is a condition; "" where there is none."""
        return self.wording.say("option_forms", "on_condition", action=self.act(option)) if option.only_if else ""

    def only_if(self, option: Option, about: About) -> str:
        """`if given for cancer`; "" where there is no condition."""
        return self.wording.phrase(option.only_if, **about.names()) if option.only_if else ""

    def about(self, finding: Finding) -> About:
        """What the placeholders of phrases stand for in this finding."""
        markers = tuple([view.marker for view in finding.markers])
        if finding.drug in self.knowledge.drugs:
            return self._about_drug(finding.drug, markers)
        return self._about_names(self.drug_of(finding), markers)

    @remembered_by_identity
    def _about_drug(self, drug: str, markers: tuple[str, ...]) -> About:
        return self._about_names(self.drug(drug), markers)

    @remembered_by_identity
    def _about_names(self, drug: str, markers: tuple[str, ...]) -> About:
        return About(drug, self.markers(markers))

    def dose(self, change: DoseChange) -> str:
        """`start with 30 to 80 % of the usual dose`, `give at most 20 mg a day, three times a week`, with its cap."""
        key, figure = self._figure(change)
        words = self.wording.say("doses", f"{key}_{change.phase}", figure=figure)
        if change.at_most:
            words = self.wording.say("doses", "at_most", dose=words, amount=self.amount(change.at_most))
        if change.frequency:
            words = self.wording.say(
                "doses", "frequency", dose=words, frequency=self.wording.phrase(change.frequency)
            )
        if change.applies_above:
            amount = self.amount(change.applies_above[0])
            words = self.wording.say("doses", "applies_above", dose=words, amount=amount)
        return words

    def _figure(self, change: DoseChange) -> tuple[str, str]:
        if change.factor:
            return "factor", self._share(change.factor)
        if change.amount:
            return "amount", self.amount(change.amount)
        if change.cap:
            return "cap", self.amount(change.cap)
        return change.direction or "open", ""

    def _share(self, factor: tuple[float, float]) -> str:
        low, high = (number(round(share * 100, 2)) for share in factor)
        return self.wording.say("doses", "share" if low == high else "share_range", low=low, high=high)

    def amount(self, amount: Amount) -> str:
        return f"{number(amount.value)} {self.wording.say_or_spell('units', amount.unit)}"

    def arithmetic(self, arithmetic: DoseArithmetic) -> str:
        """`100 mg × 0.5 = 50 mg for each dose`, and how often the source has it given."""
        capped = arithmetic.at_most is not None
        said = self.wording.say(
            "arithmetic",
            f"{arithmetic.basis}_capped" if capped else arithmetic.basis,
            old=number(arithmetic.old),
            unit=clean(arithmetic.unit),
            factor=self.range_of(arithmetic.factor),
            new=self.range_of(arithmetic.new),
            at_most=number(arithmetic.at_most or 0),
        )
        return self.as_often(said, arithmetic)

    def as_often(self, said: str, arithmetic: DoseArithmetic) -> str:
        """What is said of the dose, and how often the source has it given, where it does."""
        if not arithmetic.frequency:
            return said
        frequency = self.wording.phrase(arithmetic.frequency)
        return self.wording.say("doses", "frequency", dose=said, frequency=frequency)

    def assumed_of(self, arithmetic: DoseArithmetic) -> str:
        """`, if 100 mg is the usual dose`, where the drafted dose is only taken for that; else empty."""
        if not arithmetic.assumes_usual:
            return ""
        return self.wording.say("arithmetic", "assumed", old=number(arithmetic.old), unit=clean(arithmetic.unit))

    def range_of(self, pair: tuple[float, float]) -> str:
        """`2 to 3`, or one figure where both are the same."""
        low, high = number(pair[0]), number(pair[1])
        return low if low == high else self.wording.say("arithmetic", "range", low=low, high=high)

    def harm(self, branch: Branch) -> str:
        """What the drug would risk in this branch, where it is left out for that; else empty."""
        left_out = branch.resulting.outcome in (Outcome.OTHER_DRUG, Outcome.STOP)
        return self.wording.say("harms", branch.advice.harm) if left_out else ""

    def probability(self, probability: ChangeProbability | None) -> str:
        """`about 2 in 100 to 6 in 100 people across 5 populations`, or that it is not known."""
        if probability is None:
            return self.wording.say("probability", "unknown")
        low, high = self.frequency(probability.low), self.frequency(probability.high)
        many = "population" if probability.populations == 1 else "populations"
        across = self.wording.say("probability", many, count=probability.populations)
        form, people = "one" if low == high else "range", self._people(probability)
        return self.wording.say("probability", form, low=low, high=high, people=people, across=across)

    def _people(self, probability: ChangeProbability) -> str:
        if not probability.condition:
            return self.wording.say("probability", "people")
        return self.wording.say("probability", "people_with", condition=self.condition(probability.condition))

    def condition(self, key: str) -> str:
        """A condition by its name; empty without a key."""
        return self.wording.phrase(self.knowledge.conditions[key].label) if key else ""

    def branch_probability(self, pair: tuple[float, float] | None) -> str:
        if pair is None:
            return ""
        low, high = (self.frequency(share) for share in pair)
        return low if low == high else self.wording.say("probability", "branch", low=low, high=high)

    def frequency(self, share: float) -> str:
        """A share as a natural frequency, with the smallest round denominator that gives a whole person."""
        for of in (100, 1000, 10000):
            count = round(share * of)
            if count:
                return self.wording.say("probability", "figure", count=f"{count:,}", of=f"{of:,}")
        return self.wording.say("probability", "tiny")


def _without_repeated_ending(words: list[str]) -> tuple[str, ...]:
    """`poor metaboliser, intermediate metaboliser` -> `poor, intermediate metaboliser`.

    Only where every entry ends in the same word and has another one before it.
    """
    parts = [entry.rpartition(" ") for entry in words]
    endings = {ending for _, _, ending in parts}
    if len(words) < 2 or len(endings) != 1 or not all(start for start, _, _ in parts):
        return tuple(words)
    return (*(start for start, _, _ in parts[:-1]), words[-1])
