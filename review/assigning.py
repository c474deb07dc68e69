"""分派: who reviews which bid. What stands is kept; only gaps are filled; an alternate is called up only where nobody else may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants.calls.rulebook.parts.review import Assigning
from grants.workflow.refusals import Invalid, NotNow
from review.affinity import Suits, affinity
from review.assign import Assignment, BidNeed, Floor, Infeasible, NotSolved, Options, Pair, Problem, Reviewer, assign
from review.conflict_checks import Ground, code_of
from review.models import LIVE, PanelMember, Review, Seat
from review.panels import bids_of, roles_wanted, waiting
from review.voiding import saw_results

if TYPE_CHECKING:
    from bidding.models import Bid
    from grants.calls.rulebook.model import CallRules
    from review.models import Panel


@dataclass(frozen=True)
class Question:
    """What is to be solved, and whose codes stand in it. Two readings of a panel that has not changed hold equal problems."""

    problem: Problem
    bids: dict[str, Bid]
    members: dict[str, PanelMember]
    unknown: int

    def planned(self, answer: Assignment) -> Plan:
        """The pairs and alternates of an answer to exactly this problem."""
        pairs = tuple((self.bids[bid], self.members[expert]) for bid, expert in answer.added(self.problem))
        return Plan(pairs, tuple(self.members[code] for code in answer.called_up), self.problem, answer, self.unknown)


@dataclass(frozen=True)
class Plan:
    """New pairs to be made, the alternates to be called up for them in drawn order, and what was asked and answered.

    unknown: pairs whose affinity rests on no declared field.
    """

    pairs: tuple[tuple[Bid, PanelMember], ...]
    called_up: tuple[PanelMember, ...]
    problem: Problem
    answer: Assignment
    unknown: int = 0


def plan(panel: Panel, *, max_load: int | None = None) -> Plan:
    """What must be assigned so that every bid has its reviewers. max_load: most bids of one expert; None: no limit.

    Members who sit take all they may; alternates are called in drawn order, as few as possible, for what is left.
    Raises Invalid in words (which bids, which experts, how many short) when even all alternates do not suffice, NotNow when the
    solver gave no answer.
    """
    asked = question(panel, max_load=max_load)
    return asked.planned(solved(asked.problem))


def question(panel: Panel, *, max_load: int | None = None) -> Question:
    """The panel as it stands, read but not solved. max_load: as of `plan`."""
    ground = _Table(panel)
    problem = ground.problem(max_load)
    return Question(problem, ground.bids, ground.members, ground.unknown)


def exchanged(panel: Panel, gone: Pair, come: Pair) -> Plan:
    """Everything as it stands, but one pair instead of another: nothing else moves, and all rules are asked again.

    Raises Invalid in words when seats, loads or organisations do not allow it, NotNow when the solver gave no answer.
    """
    ground = _Table(panel)
    problem = ground.problem(None)
    limit = ground.limit()
    experts = tuple(replace(e, max_load=limit) if e.code == come[1] else e for e in problem.experts)
    kept = (problem.kept - {gone}) | {come}
    problem = replace(problem, experts=experts, kept=kept, forbidden=problem.forbidden | {gone})
    _alone(problem, come)
    return Plan((), (), problem, solved(problem), ground.unknown)


def _alone(problem: Problem, come: Pair) -> None:
    """A kept pair is never judged again, so whoever comes is asked here about colleagues on the same bid."""
    employers = {e.code: e.organisation for e in problem.experts}
    mine = employers[come[1]]
    if mine and any(b == come[0] and e != come[1] and employers[e] == mine for b, e in problem.kept):
        raise Invalid(_("接替的专家与这份申报的另一位评审专家来自同一单位，请换一位。"), rule="assignment_same_organisation")


def solved(problem: Problem) -> Assignment:
    """The assignment, or why there is none, as a refusal."""
    try:
        return assign(problem)
    except Infeasible as short:
        raise Invalid(_zh(f"{short.sentence}{short.way_out}"), rule=f"assignment_{short.rule}") from short
    except NotSolved as failed:
        raise NotNow(failed.sentence, rule=f"solver_{failed.rule}") from failed


class _Table:
    """A panel's bids and members by code, and everything the question depends on."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.rules: CallRules = panel.rules
        self.chosen = self.rules.review.assigning or Assigning()
        self.bids = {code_of(b): b for b in bids_of(panel)}
        rows = panel.members.select_related("expert__user", "expert__employer_organisation")
        self.members = {m.expert.code: m for m in rows}
        self.unknown = 0

    def limit(self) -> int | None:
        """The most bids of one expert that the last assignment allowed."""
        last = self.panel.runs.filter(carried_out=True).first()
        limits = last.limits() if last is not None else ()
        return min(limits) if limits else None

    def problem(self, max_load: int | None) -> Problem:
        """The question as values."""
        size = self.rules.review.panel.size
        needs = tuple(BidNeed(code, size, roles_wanted(self.rules, bid)) for code, bid in self.bids.items())
        kept, left = self._standing()
        experts = tuple(self._reviewers({e for _bid, e in kept}, max_load))
        known = {e.code for e in experts}
        barred = frozenset(p for p in (self._conflicts() - kept) | left | (self._seen() - kept) if p[1] in known)
        suits = {(b, e): self._suits(bid, self.members[e]) for b, bid in self.bids.items() for e in sorted(known)}
        self.unknown = sum(1 for s in suits.values() if s.unknown)
        worth = {pair: s.affinity for pair, s in suits.items()}
        return Problem(needs, experts, bytes.fromhex(self.panel.seed), barred, frozenset(kept), worth, self._options())

    def _options(self) -> Options:
        said = self.chosen
        return Options(Floor(str(said.floor)), said.even, min(float(said.fair) / 100, 0.5), 2 if said.drawn else 1)

    def _standing(self) -> tuple[set[Pair], set[Pair]]:
        """Pairs that hold a live review, and pairs that held one and do not any more."""
        rows = list(self.panel.reviews.select_related("bid", "expert"))
        kept = {(code_of(r.bid), r.expert.code) for r in rows if r.state in LIVE}
        return kept, {(code_of(r.bid), r.expert.code) for r in rows if r.state not in LIVE} - kept

    def _seen(self) -> set[Pair]:
        """Whoever saw results scores nothing more, in a panel that scores again."""
        saw = saw_results(self.panel)
        return {(b, code) for b in self.bids for code, m in self.members.items() if m.expert_id in saw}

    def _conflicts(self) -> set[Pair]:
        ground = Ground.of([m.expert for m in self.members.values()], self.bids.values())
        return {(b, m) for b, bid in self.bids.items() for m, member in self.members.items() if ground.hits(member.expert, bid)}

    def _suits(self, bid: Bid, member: PanelMember) -> Suits:
        names = {c.code: c.name for c in self.rules.categories}
        wanted = [f"{bid.category}|{names.get(bid.category, '')}"] if bid.category else []
        needed = member.seat == Seat.SECTOR or member.seat in roles_wanted(self.rules, bid)
        return affinity(member.expert.fields, wanted, skilled=needed)

    def _reviewers(self, held: set[str], max_load: int | None) -> Iterable[Reviewer]:
        """Members who sit, and excused ones who still hold a review; then those who wait, in drawn order."""
        employers = self._employers()
        for code, m in sorted(self.members.items()):
            if (not m.alternate and not m.excused) or code in held:
                yield Reviewer(code, frozenset({m.seat}), max_load, organisation=employers.get(code, ""))
        for at, m in enumerate((m for m in waiting(self.panel) if m.expert.code not in held), start=1):
            code = m.expert.code
            yield Reviewer(code, frozenset({m.seat}), max_load, organisation=employers.get(code, ""), reserve=at)

    def _employers(self) -> dict[str, str]:
        """Expert → a number for their employer, so that files name none. The agency's own seats are filled from one house."""
        if not self.chosen.one_per_organisation:
            return {}
        names = {
            code: str(m.expert.employer_organisation_id or m.expert.employer.strip())
            for code, m in self.members.items() if m.seat != Seat.AGENCY
        }  # fmt: skip
        numbers = {name: f"org{n}" for n, name in enumerate(sorted(set(names.values()) - {""}), start=1)}
        return {code: numbers[name] for code, name in names.items() if name}


def _zh(sentence: str) -> str:
    """Seat codes as words."""
    for seat in Seat:
        sentence = sentence.replace(seat.value, str(seat.label))
    return str(_("不能分派：%(why)s") % {"why": sentence})


def half_seated(panel: Panel) -> list[tuple[Any, Any, str]]:
    """(bid, member, stage) for pairs that hold a review in one stage of the rules and lack it in another."""
    stages = [str(s.kind) for s in panel.rules.review.stages]
    held: dict[tuple[Any, Any], set[str]] = {}
    rows = Review.objects.filter(panel=panel, state__in=LIVE).select_related("bid", "expert").order_by("pk")
    for review in rows:
        held.setdefault((review.bid, review.expert), set()).add(review.stage)
    return [(bid, expert, stage) for (bid, expert), have in held.items() for stage in stages if stage not in have]
