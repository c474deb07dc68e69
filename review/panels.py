"""Counting a panel: its bids, its seats, what is missing. Nothing here reads a mark before every ballot is in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from bidding.models import Bid
from review.models import LIVE, PanelMember, Review, Seat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from grants.calls.rulebook.model import CallRules
    from review.models import Panel


def bids_of(panel: Panel) -> list[Bid]:
    """The bids this panel judges, by number: while forming, admitted bids that no other panel has; later, those it was given."""
    rows = (
        Bid.objects.filter(call_id=panel.call_id)
        .select_related("organisation", "sponsor", "call__rules_version")
        .order_by("number", "pk")
    )
    if panel.state == "forming":
        taken = Review.objects.filter(panel__call_id=panel.call_id).exclude(panel=panel)
        rows = rows.filter(state="admitted").exclude(pk__in=taken.values("bid_id"))
    else:
        rows = rows.filter(pk__in=panel.reviews.values("bid_id"))
    return list(rows)


def last_day(panel: Panel) -> date | None:
    """The day by which the call wants its review done."""
    return panel.rules.timetable.review_by


def sitting(panel: Panel) -> list[PanelMember]:
    """Members who count, in drawn order."""
    rows = panel.members.filter(alternate=False, excused=False)
    return list(rows.select_related("expert__user").order_by("position", "pk"))


def waiting(panel: Panel) -> list[PanelMember]:
    """候补, in drawn order."""
    return list(panel.members.filter(alternate=True, excused=False).select_related("expert__user").order_by("position", "pk"))


def stages_of(rules: CallRules) -> list[str]:
    """Stage codes in order: document, oral."""
    return [str(stage.kind) for stage in rules.review.stages]


def roles_wanted(rules: CallRules, bid: Bid) -> dict[str, int]:
    """Seats every bid needs among its reviewers: what the rules say, and at least one where a criterion is that seat's alone."""
    panel = rules.review.panel
    scorers = {str(c.scorer) for c in sheet_of(rules, bid).criteria}
    wanted = {Seat.FINANCE: panel.finance, Seat.FIELD: panel.field}
    return {str(seat): n for seat, least in wanted.items() if (n := max(least, int(str(seat) in scorers)))}


def sheet_of(rules: CallRules, bid: Bid) -> Any:
    """The score sheet of a bid's track."""
    return rules.sheet_for(bid.track or None)


def missing_seats(panel: Panel) -> list[str]:
    """What the panel lacks, in words: “财务专家 1 人”; empty when complete. More members than the rule's size are welcome."""
    rules, seats = panel.rules.review.panel, Counter(m.seat for m in sitting(panel))
    gaps = {Seat.FINANCE: rules.finance - seats[Seat.FINANCE], Seat.FIELD: rules.field - seats[Seat.FIELD]}
    found = [_("%(seat)s %(n)d 人") % {"seat": seat.label, "n": n} for seat, n in gaps.items() if n > 0]
    if (short := rules.size - sum(seats.values())) > 0:
        found.append(_("评审专家 %(n)d 人") % {"n": short})
    if seats[Seat.AGENCY] > rules.agency_seats:
        found.append(_("主办方代表超过 %(n)d 人") % {"n": rules.agency_seats})
    return found


def under_reviewed(panel: Panel) -> list[str]:
    """Bids with fewer live reviews than the rules want, in any stage: “编号 名称(书面 5/7)”."""
    counts = _live_counts(panel)
    size = panel.rules.review.panel.size
    return [
        f"{bid.number} {bid.title}({stage.kind.zh} {counts[bid.pk, str(stage.kind)]}/{size})"
        for bid in bids_of(panel)
        for stage in panel.rules.review.stages
        if counts[bid.pk, str(stage.kind)] < size
    ]


def outstanding(panel: Panel) -> list[str]:
    """What is not in yet: open ballots by expert code, and bids with fewer live ballots than the minimum. No score is read."""
    open_ones = panel.reviews.filter(state__in=("assigned", "accepted")).select_related("bid", "expert")
    found = [
        f"{r.expert.code} · {r.bid.number} {r.bid.title}" for r in open_ones.order_by("expert__code", "bid__number", "stage")
    ]
    counts, least = _live_counts(panel), panel.rules.review.panel.min_ballots
    return found + [
        _("%(bid)s（有效评分 %(n)d 份，少于 %(least)d 份）") % {"bid": bid, "n": counts[bid.pk, stage], "least": least}
        for bid in bids_of(panel)
        for stage in stages_of(panel.rules)
        if counts[bid.pk, stage] < least
    ]


def progress(panel: Panel) -> Mapping[str, Counter[str]]:
    """Expert code → state → number of reviews. Counts only."""
    table: dict[str, Counter[str]] = {}
    for code, state in panel.reviews.values_list("expert__code", "state"):
        table.setdefault(code, Counter())[state] += 1
    return table


def unexplained(panel: Panel) -> list[str]:
    """Experts whose ballots owe a written reason: “code（n 份）”, never which bid. Empty until every ballot and other score is in."""
    owing = Counter(r.expert.code for r in deviating(panel) if not r.reason)
    return [_("%(code)s（%(n)d 份）") % {"code": code, "n": n} for code, n in sorted(owing.items())]


def deviating(panel: Panel) -> list[Review]:
    """Reviews whose total is far from what the panel gave; nobody learns it before every ballot is in."""
    return [review for review, _rules in alarms(panel)]


def alarms(panel: Panel) -> list[tuple[Review, tuple[str, ...]]]:
    """The same, each with the rules that ask (`review.deviation`); counted in memory while the ballots are still sealed."""
    from review.opening import broken  # noqa: PLC0415 - reads this module
    from review.other_scores import missing  # noqa: PLC0415 - as above
    from review.results import Tally  # noqa: PLC0415 - as above

    if panel.reviews.filter(state__in=("assigned", "accepted")).exists():  # the common case, answered without reading the panel
        return []
    if outstanding(panel) or missing(panel) or (panel.state == "scoring" and broken(panel)):
        return []
    return Tally.of(panel).alarms()


def earlier_stages(review: Review) -> list[Review]:
    """Own live reviews of the same bid in stages before this one that are not submitted."""
    order = stages_of(review.panel.rules)
    before = order[: order.index(review.stage)] if review.stage in order else []
    rows = Review.objects.filter(panel=review.panel_id, bid=review.bid_id, expert=review.expert_id, stage__in=before)
    return list(rows.filter(state__in=("assigned", "accepted")))


def _live_counts(panel: Panel) -> Counter[tuple[Any, str]]:
    return Counter(panel.reviews.filter(state__in=LIVE).values_list("bid_id", "stage"))
