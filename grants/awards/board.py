"""The ranking board: one row per ranked bid with everything a decision rests on, the money counted down the list, lines where it ends.

Before the proposal is made the amounts are what `selection.propose` would give now; afterwards they are the decisions. Six queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from grants.awards import across, selection
from grants.awards.allocation import Candidate, RulesContradict
from grants.awards.board_figures import Dot, dots, near_the_line, sway
from grants.awards.limits import booked, live, selection_rules, serves, with_lots
from grants.awards.models import Award, Decision
from grants.calls.models import Call
from grants.money import ZERO
from grants.workflow.refusals import NotNow
from review import analysing
from review.calibration.findings import BidView
from review.conflict_checks import code_of
from review.models import Result
from review.rules import RESULTS_OUT

MONEY = ("pool", "source", "ceiling", "stopped", "places", "awards_max")
"""Refusals for want of money or places: a point more might have changed them."""


@dataclass
class Row:
    """One ranked bid. proposed: 元, ZERO when refused; cumulative: Σ proposed down to here; pools: names of the sources that may pay.

    beside: the bid in the panel's reference analysis (plain mean and calibrated score); None until that is made. It decides nothing here.
    """

    result: Result
    ask: Decimal
    awarded: bool
    proposed: Decimal
    rule: str
    reason: str
    decision: Decision | None
    award: Award | None
    category: str
    pools: str
    dots: list[Dot]
    low: Decimal
    high: Decimal
    beside: BidView | None = None
    cumulative: Decimal = ZERO
    near: bool = False
    flags: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    """(kind, sentence) of the lines drawn under this row."""

    @property
    def bid(self) -> Any:
        return self.result.bid

    @property
    def mean(self) -> Decimal | None:
        """Plain mean of the experts' totals, 0…100."""
        return self.beside.mean if self.beside is not None else None

    @property
    def calibrated(self) -> Decimal | None:
        """The same with the experts' strictness taken out; None where it cannot be estimated."""
        return self.beside.calibrated if self.beside is not None else None

    @property
    def state(self) -> str:
        """Where the decision is, in words: only counted, pending, released, or the award's own state."""
        if self.decision is None:
            return _("测算")
        if self.decision.released_at is None:
            return _("待发布")
        return str(self.award.get_state_display()) if self.award is not None else _("已发布")

    @property
    def flag_words(self) -> str:
        return "；".join(self.flags)


@dataclass(frozen=True)
class Board:
    """The rows in order, the pool and what is used of it, whether any of it is only counted, and why it could not be."""

    rows: list[Row]
    pool: Decimal
    used: Decimal
    counted_only: bool
    trouble: str = ""

    @property
    def left(self) -> Decimal:
        return self.pool - self.used


def board(call: Call) -> Board:
    """The board of a call: every locked panel's results in order of panel, place, bid; none that its meeting has not released."""
    results = Result.objects.filter(RESULTS_OUT, panel__call=call)
    related = ("bid__organisation", "bid__sponsor", "bid__decision", "bid__award", "panel")
    rows = list(results.select_related(*related).order_by("panel__created_at", F("rank").asc(nulls_last=True), "pk"))
    judged, trouble = _judged(call, rows)
    beside = analysing.views({r.panel_id for r in rows})
    made = [replace(_row(call, r, judged), beside=beside.get((r.panel_id, code_of(r.bid)))) for r in rows]
    _mark(call, made)
    used = sum((r.proposed for r in made), ZERO)
    return Board(made, call.rules.pool.grants, used, any(r.decision is None for r in made), trouble)


def _judged(call: Call, results: list[Result]) -> tuple[Mapping[str, Any], str]:
    """What the selection would say today about bids without a decision: number → its line; and the sentence when the rules contradict."""
    fresh = [r for r in results if getattr(r.bid, "decision", None) is None]
    if not fresh:
        return {}, ""
    standing = live(call)
    before = [booked(award, place - len(standing)) for place, award in enumerate(standing)]
    try:
        rules = selection_rules(call.rules)
        proposal = selection.propose(with_lots([*before, *_candidates(call, fresh)], rules, fresh), rules)
    except RulesContradict as contradiction:
        return {}, contradiction.sentence
    except NotNow as refusal:
        return {}, str(refusal)
    return {d.bid: d for d in proposal.decisions}, ""


def _candidates(call: Call, fresh: list[Result]) -> list[Candidate]:
    """In one order, where they are of several panels that compete. Raises NotNow where those cannot be ranked together."""
    found, panels = [_candidate(call, r) for r in fresh], list(dict.fromkeys(r.panel for r in fresh))
    if len(panels) < 2 or not across.compete(call, panels):
        return found
    across.refuse_unbridged(call, panels)
    place = across.places(call, fresh)
    return [replace(candidate, place=place[candidate.bid]) for candidate in found]


def _candidate(call: Call, result: Result) -> Candidate:
    bid, ask = result.bid, Decimal(result.explanation["ask"])
    score = result.total.quantize(Decimal(1).scaleb(-call.rules.review.decimals))
    recommended = result.recommended if result.recommended is not None else ask
    return Candidate(bid.number, str(bid.organisation_id), result.rank, score, ask, bid.category, bid.track, recommended, bid.organisation.district)


def _row(call: Call, result: Result, judged: Mapping[str, Any]) -> Row:
    bid = result.bid
    decision, award = getattr(bid, "decision", None), getattr(bid, "award", None)
    said = decision or judged.get(bid.number)
    stands = said is not None and said.awarded and (award is None or award.state != "cancelled")
    amount = award.amount if stands and award is not None else (said.amount if stands and said is not None else ZERO)
    low, high = sway(result.explanation, result.total)
    return Row(
        result, Decimal(result.explanation["ask"]), stands, amount, said.rule if said else "", _reason(said, award), decision, award,
        _category(call, bid.category), _pools(call, bid.category), dots(result.explanation), low, high,
    )  # fmt: skip


def _reason(said: Any, award: Award | None) -> str:
    if said is None:
        return ""
    sentence = said.reason if isinstance(said, Decision) else said.sentence
    return _("拟立项后取消；原因见项目的经过。") if award is not None and award.state == "cancelled" else str(sentence)


def _category(call: Call, code: str) -> str:
    return next((c.name for c in call.rules.categories if c.code == code), code)


def _pools(call: Call, category: str) -> str:
    able = [s.name for s in call.rules.sources if not (only := serves(call.rules, s)) or category in only]
    return "、".join(able)


def _mark(call: Call, rows: list[Row]) -> None:
    """Cumulative sums, flags, and the lines drawn in the table."""
    running = ZERO
    for row in rows:
        running += row.proposed
        row.cumulative = running
    scores = {r.bid.number: r.result.total for r in rows}
    inside = [(r.bid.number, r.low, r.high) for r in rows if r.awarded]
    outside = [(r.bid.number, r.low, r.high) for r in rows if not r.awarded and r.rule in MONEY]
    near = near_the_line(inside, outside, scores)
    for row in rows:
        row.near = row.bid.number in near
        row.flags = list(_flags(call, row))
    _lines(call, rows)


def _flags(call: Call, row: Row) -> Iterable[str]:
    if not row.result.passed:
        yield _("低于及格线")
    if row.result.explanation.get("decided_by") not in ("score", "", None):
        yield _("同分")
    if row.near:
        yield _("贴近预算线")
    if row.rule == "awarded_reserved":
        yield _("占用子额度")
    if row.awarded and row.proposed < row.ask:
        yield _("低于申请额")
    if row.bid.sponsor_id:
        yield _("托管申报")
    spread = [d.total for d in row.dots]
    if spread and max(spread) - min(spread) > Decimal(call.rules.review.deviation_alarm):
        yield _("评分分歧大")


def _lines(call: Call, rows: list[Row]) -> None:
    """The budget line under the last bid that is funded, the pass line under the last that passed; per panel the pass line."""
    funded = [r for r in rows if r.awarded]
    if funded:
        last, pool = funded[-1], call.rules.pool.grants
        words = _("预算线：资助总额 %(pool)s，至此已用 %(used)s，剩余 %(left)s") % {
            "pool": f"¥{pool:,.2f}", "used": f"¥{last.cumulative:,.2f}", "left": f"¥{pool - last.cumulative:,.2f}",
        }  # fmt: skip
        last.lines.append(("budget", words))
    for above, below in pairwise(rows):
        if above.result.panel_id == below.result.panel_id and above.result.passed and not below.result.passed:
            above.lines.append(("pass", _("及格线：%(line)s 分") % {"line": call.rules.review.pass_line}))


def tie_rule(call: Call) -> list[str]:
    """The steps of the tie rule in words, in order."""
    names = {c.code: c.name for sheet in call.rules.review.sheets for c in sheet.criteria}
    return [f"{t.by.zh}：{names.get(t.criterion, t.criterion)}" if t.criterion else str(t.by.zh) for t in call.rules.review.ties]


def how_amounts(call: Call) -> str:
    """How amounts are decided and what happens when the money is short, as the call published it."""
    allocation = call.rules.allocation
    return f"{allocation.method.zh}；{_('额度不足时')}：{allocation.when_full.zh}"


__all__ = ["Board", "Row", "board", "how_amounts", "tie_rule"]
