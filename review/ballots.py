"""评分表: which criteria an expert marks, within which range, and what is still missing. Points, two places, never a float."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants.workflow.refusals import Invalid
from review.composing import marked_by
from review.models import Draft, Mark, PanelMember
from review.panels import sheet_of
from review.scoring import rounded

if TYPE_CHECKING:
    from bidding.models import Bid
    from grants.calls.rulebook.model import CallRules
    from review.models import Review

CENT = Decimal("0.01")


@dataclass(frozen=True)
class OwnCriterion:
    """A criterion as this expert marks it. top: highest mark in points; anchors: (points, what it means), best first."""

    code: str
    name: str
    top: Decimal
    note: str
    anchors: tuple[tuple[Decimal, str], ...]

    @property
    def most(self) -> str:
        """The highest mark as written."""
        return shown(self.top)

    def scale(self) -> list[tuple[int, str]]:
        """Keys 1…5 as fifths of the points (the anchors of 20, 60 and 100 per cent are 1, 3 and 5), two places."""
        return [(key, shown(rounded(self.top * key / 5))) for key in range(1, 6)]

    def steps(self) -> list[tuple[str, str, str]]:
        """The anchors as (key that gives exactly these points or "", points, meaning), best first."""
        keys = {points: str(key) for key, points in self.scale()}
        return [(keys.get(shown(points), ""), shown(points), means) for points, means in self.anchors]


def shown(points: Decimal) -> str:
    """Points without needless noughts: 17.50 → 17.5, 20.00 → 20."""
    return f"{points.normalize():f}"


def criteria_for(rules: CallRules, bid: Bid, seat: str) -> list[OwnCriterion]:
    """The criteria an expert in this seat marks: those of every expert, and those reserved for the seat (财务、行业)."""
    mine = marked_by(rules, sheet_of(rules, bid).criteria, seat)
    return [OwnCriterion(c.code, c.name, top, c.note, _anchors(c, top)) for c, top in mine]


def own_criteria(review: Review) -> list[OwnCriterion]:
    """The criteria of one review."""
    return criteria_for(review.panel.rules, review.bid, seat_of(review))


def criteria_of(reviews: Iterable[Review]) -> list[list[OwnCriterion]]:
    """The criteria of each of one expert's reviews, in their order; one query and one reading of the rules per panel and track."""
    rows = list(reviews)
    seats = dict(PanelMember.objects.filter(expert__in={r.expert_id for r in rows}).values_list("panel_id", "seat"))
    known: dict[Any, list[OwnCriterion]] = {}
    for review in rows:
        key = (review.panel_id, review.bid.track)
        if key not in known:
            known[key] = criteria_for(review.panel.rules, review.bid, seats[review.panel_id])
    return [known[r.panel_id, r.bid.track] for r in rows]


def seat_of(review: Review) -> str:
    """The seat the expert holds in this panel."""
    return PanelMember.objects.values_list("seat", flat=True).get(panel=review.panel_id, expert=review.expert_id)


def missing_marks(review: Review) -> list[str]:
    """Names of criteria without a mark; a missing mark is never a zero."""
    given = review.held()
    return [c.name for c in own_criteria(review) if c.code not in given]


def checked(review: Review, marks: Mapping[str, Any]) -> dict[str, Decimal]:
    """Criterion → points, for the marks that were given (None and "" are left open).

    Raises Invalid naming every criterion that is not this expert's, is no number, has more than two places or is out of range.
    """
    own = {c.code: c for c in own_criteria(review)}
    values: dict[str, Decimal] = {}
    problems: dict[str, list[str]] = {}
    for code, raw in marks.items():
        if raw is None or str(raw).strip() == "":
            continue
        try:
            values[code] = _points(own[code], raw) if code in own else _stranger(code)
        except ValueError as wrong:
            problems[code] = [str(wrong)]
    if problems:
        first = next(iter(problems.values()))[0]
        raise Invalid(
            _("有 %(n)d 项得分不能保存：%(first)s") % {"n": len(problems), "first": first}, rule="marks", problems=problems
        )
    return values


def _stranger(code: str) -> Decimal:
    raise ValueError(_("“%(code)s”不由您评分。") % {"code": code})


def plain(typed: str) -> str:
    """１７．５ and 17。5 as an input method types them → 17.5. A comma is left standing, and refused: 1,5 may mean two things."""
    return unicodedata.normalize("NFKC", typed).strip().replace("。", ".")


def _points(criterion: OwnCriterion, raw: Any) -> Decimal:
    figures = {"name": criterion.name, "mark": raw, "top": criterion.top}
    try:
        value = Decimal(plain(str(raw)))
    except InvalidOperation:
        raise ValueError(_("“%(name)s”的得分“%(mark)s”不是数字。") % figures) from None
    if not value.is_finite() or not 0 <= value <= criterion.top:
        raise ValueError(_("“%(name)s”的得分 %(mark)s 超出 0 至 %(top)s 的范围。") % figures)
    if value != value.quantize(CENT):
        raise ValueError(_("“%(name)s”的得分 %(mark)s 超过两位小数。") % figures)
    return value.quantize(CENT)


def rewritten(
    review: Review, values: Mapping[str, Decimal], comments: Mapping[str, tuple[str, str]], emptied: Collection[str]
) -> dict[str, Mark]:
    """The ballot with marks and comments of the criteria named replaced and the emptied ones gone: what is on the page is what counts.

    comments: criterion → (to the bidder, to the panel); a criterion without keeps its words.
    """
    now = {code: mark for code, mark in review.held().items() if code in values or code not in set(emptied)}
    for code, value in values.items():
        mark = now.setdefault(code, Mark(review=review, criterion=code))
        mark.value = value
        if code in comments:
            mark.comment, mark.panel_comment = (lines(text) for text in comments[code])
    return now


def lines(text: str) -> str:
    """As stored: browsers send CRLF, workbooks LF."""
    return text.replace("\r\n", "\n").strip()


def on_paper(marks: Mapping[str, Mark]) -> dict[str, str]:
    """The marks of one review as fields of its sheet."""
    found: dict[str, str] = {}
    for code, mark in marks.items():
        found |= {
            f"mark_{code}": shown(mark.value),
            f"comment_{code}": mark.comment,
            f"panel_{code}": mark.panel_comment,
        }
    return {field: text for field, text in found.items() if text}


def latest_draft(review: Review) -> Draft | None:
    """The newest version of what was typed."""
    return review.drafts.order_by("-number").first()


def unsettled(review: Review) -> list[str]:
    """Criteria where the draft says something else than the score sheet; empty when the expert's page shows what would be handed in."""
    draft = latest_draft(review)
    if draft is None:
        return []
    kept = on_paper(review.held())
    typed = {field: text for field, text in draft.content.items() if field != "note"}
    differs = [field for field in typed.keys() | kept.keys() if not _alike(field, typed.get(field, ""), kept.get(field, ""))]
    marked = {field.removeprefix("mark_") for field in kept if field.startswith("mark_")}
    orphan = [f for f in differs if not f.startswith("mark_") and f.split("_", 1)[1] not in marked]  # a word without a mark yet
    return sorted({field.split("_", 1)[1] for field in differs if field not in orphan})


def _alike(field: str, one: str, other: str) -> bool:
    if not field.startswith("mark_") or not one or not other:
        return one.strip() == other.strip()
    try:
        return Decimal(plain(one)) == Decimal(other)
    except InvalidOperation:
        return False


def _anchors(criterion: Any, top: Decimal) -> tuple[tuple[Decimal, str], ...]:
    """Per cent of the weight → points this expert may give, best first."""
    rows = sorted(criterion.anchors, key=lambda a: -a.at)
    return tuple((rounded(top * a.at / 100), a.means) for a in rows)
