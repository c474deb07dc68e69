"""预演: a draft's rules run on bids that nobody wrote, before anybody bids — who falls out by which rule, and what to judge them with.

Here are only the bids and what the rules alone decide. Ranking and giving out money belong to later stages: they hand their arithmetic
up with `judge_with`, so that a rehearsal uses the very code that will decide. Everything is deterministic: equal rules and seed, equal result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from grants.calls.rulebook.eligibility import Outcome, assess
from grants.calls.rulebook.expectation import Agreement
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.trial import TrialBid, lowest_cap
from grants.money import ZERO, percent_text, yuan


@dataclass(frozen=True)
class Exclusion:
    """A bid that falls out, by the first rule that it breaks, with the sentence its applicant would read."""

    bid: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Line:
    """A ranked bid: its place and score, what decided between equals (empty: the score), and whether and why it is funded."""

    bid: str
    place: int | None
    score: Decimal | None
    decided_by: str
    awarded: bool
    amount: Decimal
    sentence: str
    category: str = ""


@dataclass(frozen=True)
class Swing:
    """One criterion's weight moved by a tenth, the others making up for it: the bids that would win or lose their award."""

    criterion: str
    percent: int
    flips: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """A field of service: 元 set aside and given, projects funded and bids that competed."""

    name: str
    set_aside: Decimal | None
    used: Decimal
    awards: int
    bids: int


@dataclass(frozen=True)
class Rehearsal:
    """What would happen. refused: why the rules cannot be carried out at all (then lines are empty).

    unrehearsed: what the real round will have and this had not, and what was assumed instead; one sentence each.
    """

    rules_hash: str
    bids: int
    exclusions: tuple[Exclusion, ...]
    lines: tuple[Line, ...] = ()
    usage: tuple[Usage, ...] = ()
    swings: tuple[Swing, ...] = ()
    awarded: Decimal = ZERO
    left: Decimal = ZERO
    refused: str = ""
    by_rule: Mapping[str, int] = field(default_factory=dict)
    unrehearsed: tuple[str, ...] = ()

    @property
    def staying(self) -> int:
        """Bids that experts would have to read."""
        return self.bids - len(self.exclusions)

    @property
    def ties(self) -> tuple[Line, ...]:
        """Bids whose place the score alone did not decide."""
        return tuple(line for line in self.lines if line.decided_by not in ("", "score"))

    @property
    def fragile(self) -> tuple[str, ...]:
        """Bids whose award hangs on a tenth of some weight, each once."""
        return tuple(dict.fromkeys(bid for swing in self.swings for bid in swing.flips))


Judge = Callable[[CallRules, Sequence[TrialBid]], Rehearsal]
_judges: list[Judge] = []


def judge_with(judge: Judge) -> None:
    """Register the arithmetic of ranking and allocation; the last one registered is asked."""
    if judge not in _judges:
        _judges.append(judge)


@dataclass(frozen=True)
class Earlier:
    """What an earlier round brings to a rehearsal. experts: how many scored in it; note: what it does not bring, one sentence or nothing."""

    name: str
    bids: tuple[TrialBid, ...]
    agreement: Agreement
    experts: int
    note: str = ""


class NothingEarlier(LookupError):
    """No earlier round under that name, or none whose results are in; the message is a sentence that says what to do."""


Recall = Callable[[str], Earlier | None]
"""None: the name is of another kind than the one this finds."""
_recalls: list[Recall] = []


def recall_with(recall: Recall) -> None:
    """Register how the bids of an earlier round are found by its code or package; they are asked in turn, the last one registered first."""
    if recall not in _recalls:
        _recalls.append(recall)


def recalled(name: str) -> Earlier:
    """The earlier round of that code or package. Raises NothingEarlier."""
    for recall in reversed(_recalls):
        if (found := recall(name)) is not None:
            return found
    raise NothingEarlier(f"没有可以读取往期申报的程序，找不到 {name}")


def rehearse(rules: CallRules, bids: Sequence[TrialBid]) -> Rehearsal:
    """The whole rehearsal of `bids`; without a registered judge only the exclusions. Equal input, equal result."""
    out = exclusions(rules, bids)
    fallen = {each.bid for each in out}
    staying = [bid for bid in bids if bid.code not in fallen]
    judged = _judges[-1](rules, staying) if _judges else Rehearsal(rules.rules_hash, 0, ())
    counted: dict[str, int] = {}
    for each in out:
        counted[each.rule] = counted.get(each.rule, 0) + 1
    return replace(judged, bids=len(bids), exclusions=out, by_rule=counted)


def exclusions(rules: CallRules, bids: Sequence[TrialBid]) -> tuple[Exclusion, ...]:
    """Who may not bid, asks for too much or too little, or brings too little: the first broken rule of each bid."""
    on = rules.timetable.closes_at.date()
    found = ((bid, next(_faults(rules, bid, on), None)) for bid in bids)
    return tuple(Exclusion(bid.code, *fault) for bid, fault in found if fault is not None)


Fault = tuple[str, str]
"""Rule, sentence."""


def _faults(rules: CallRules, bid: TrialBid, on: date) -> Iterator[Fault]:
    yield from ((f.rule, f.sentence) for f in assess(bid.facts, rules.eligibility, on=on) if f.outcome is Outcome.FAIL)
    cap = lowest_cap(rules, bid)
    if bid.ask > cap:
        yield "cap", f"申请 {yuan(bid.ask)}，高于单个项目上限 {yuan(cap)}"
    if rules.amounts.floor is not None and bid.ask < rules.amounts.floor:
        yield "floor", f"申请 {yuan(bid.ask)}，低于单个项目下限 {yuan(rules.amounts.floor)}"
    share = rules.amounts.match_share
    if share is not None and bid.match * 100 < share * (bid.ask + bid.match):
        yield "match_share", f"配套 {yuan(bid.match)}，不足项目预算的 {percent_text(share)}"
    grant = rules.amounts.cap_share
    if grant is not None and bid.ask * 100 > grant * (bid.ask + bid.match):
        yield "cap_share", f"资助占项目预算的比例高于 {percent_text(grant)}"
