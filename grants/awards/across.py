"""跨组立项: several panels of one call whose rankings compete for the same money.

Who concluded first must not decide who is funded. Rankings of different panels are put into one list only where enough ballots bridge the panels
(review.md §2.7, `review.calibration.bridging`); else, and where an officer says why, each panel is proposed by itself, in the order concluded, and the
log has the reason. Panels that judge separate tracks with money of their own do not compete.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

from django.utils.translation import gettext as _

from grants.calls.models import Call
from grants.workflow.refusals import NotNow
from review.calibration import bridging
from review.composing import tie_steps
from review.models import Panel, Result, Review, Ruling
from review.ranking import Lot, Ranked, Scored, rank
from review.scoring import ScoreRefused


def lists(call: Call, ready: Sequence[Panel], within: str = "") -> list[list[Panel]]:
    """The panels to be proposed now, as one list together or each by itself. within: why each by itself, where they compete.

    Raises NotNow unbridged, decided_before or calibrated_apart, with the ways out.
    """
    ranked = list(Panel.objects.filter(call=call, state="concluded", results__isnull=False).distinct().order_by("concluded_at", "pk"))
    if within.strip() or not compete(call, ranked):
        return [[panel] for panel in ready]
    if len(ranked) > len(ready):
        raise NotNow(_("另一个评审组的结果已经拟定过立项，不能再合并排名。余下的只能各组分别立项，请写明理由。"), rule="decided_before")
    refuse_unbridged(call, ranked)
    return [list(ready)]


def compete(call: Call, panels: Sequence[Panel]) -> bool:
    """Whether bids of two panels may be paid from the same money."""
    own = {t.code for t in call.rules.tracks if t.amount is not None}
    tracks = [set(panel.results.values_list("bid__track", flat=True)) for panel in panels]
    return any((a & b) or not (a | b) <= own for a, b in combinations(tracks, 2))


def refuse_unbridged(call: Call, panels: Sequence[Panel]) -> None:
    """Raises NotNow where these panels cannot be ranked together, with the figures and the way out."""
    if call.rules.review.official.value == "calibrated":
        sentence = _("正式得分采用校准分，各组的校准分分别计算，不能合并排名。请各组分别立项，并写明理由。")
        raise NotNow(sentence, rule="calibrated_apart")
    try:
        bridging.require(_ballots(panels), _homes(panels), signed=True)
    except ScoreRefused as refused:
        raise NotNow(str(refused), rule="unbridged") from refused


def named(panels: Sequence[Panel]) -> list[tuple[Panel, str]]:
    """Panels with a name that tells them apart."""
    return [(panel, _("%(name)s（第 %(n)d 组）") % {"name": panel.name, "n": n}) for n, panel in enumerate(panels, start=1)]


def _homes(panels: Sequence[Panel]) -> dict[str, str]:
    """Bid number → name of the panel that judged it. A bid has one panel; what bridges panels is experts who sat in both."""
    return {row.bid.number: name for panel, name in named(panels) for row in _rows(panel)}


def _rows(panel: Panel) -> Any:
    return panel.results.select_related("bid")


def _ballots(panels: Sequence[Panel]) -> dict[str, dict[str, Decimal]]:
    """Who scored what, ballots that the committee excluded left out. Bridges are counted, not weighed: the totals play no part."""
    struck = Ruling.objects.filter(panel__in=panels, state="adopted", outcome="exclude").values("review_id")
    rows = Review.objects.filter(panel__in=panels, state="submitted").exclude(pk__in=struck)
    found: dict[str, dict[str, Decimal]] = {}
    for bid, expert in rows.values_list("bid__number", "expert__code").distinct():
        found.setdefault(bid, {})[expert] = Decimal(0)
    return found


def places(call: Call, results: Sequence[Result]) -> dict[str, int | None]:
    """Bid number → its place in one list of several panels' results, by the tie rule of the call; a chair's vote and a panel's lots part only bids
    of that panel. Raises NotNow tied_across where bids of different panels stay equal."""
    of = {row.bid.number: row for row in results}
    digits = call.rules.review.decimals
    scored = [_scored(row, digits) for row in results]
    order = rank(scored, tie_steps(call.rules, scored), pass_line=Decimal(call.rules.review.pass_line), lot=Lot())
    found: dict[str, int | None] = {place.bid: place.place for place in order}
    for first, equal in _equals(order).items():
        rows = sorted((of[bid] for bid in equal), key=lambda row: row.rank or 0)
        if len({row.panel_id for row in rows}) > 1:
            told = {"bids": "、".join(sorted(equal))}
            raise NotNow(_("不同评审组的申报 %(bids)s 同分，不能合并排名。请各组分别立项，并写明理由。") % told, rule="tied_across")
        found.update({row.bid.number: first + at for at, row in enumerate(rows)})
    return found


def _scored(row: Result, digits: int) -> Scored:
    means = {code: Decimal(value) for code, value in row.explanation["criteria"].items()}
    score = None if row.rank is None else row.total.quantize(Decimal(1).scaleb(-digits))
    return Scored(row.bid.number, score, Decimal(row.explanation["ask"]), means)


def _equals(order: Sequence[Ranked]) -> dict[int, list[str]]:
    """Shared place → the bids that share it."""
    shared: dict[int, list[str]] = {}
    for place in order:
        if place.place is not None:
            shared.setdefault(place.place, []).append(place.bid)
    return {place: bids for place, bids in shared.items() if len(bids) > 1}
