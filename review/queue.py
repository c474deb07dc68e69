"""An expert's queue: which of their own reviews, in which order, which next. Nothing of it tells how far anybody else is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet

from review.ballots import criteria_of
from review.blinding import hidden
from review.models import LIVE, Review

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from grants.people.models import User

OPEN = ("assigned", "accepted")
STATES: dict[str, tuple[str, ...]] = {"open": OPEN, "done": ("submitted",)}
ORDER = ("panel__created_at", "stage", "bid__number", "pk")


@dataclass(frozen=True)
class Filter:
    """What the expert chose to see; it stays in every address of the queue. Unknown values are ignored."""

    panel: str = ""
    stage: str = ""
    state: str = ""
    text: str = ""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Filter:
        panel, stage, state = (str(query.get(name, "")) for name in ("panel", "stage", "state"))
        return cls(
            panel if _is_key(panel) else "", stage if stage in ("document", "oral") else "", state if state in STATES else "",
            str(query.get("q", "")).strip()[:50],
        )  # fmt: skip

    @property
    def query(self) -> str:
        """As the tail of an address, with its question mark; empty when nothing is chosen."""
        chosen = {"panel": self.panel, "stage": self.stage, "state": self.state, "q": self.text}
        text = urlencode({name: value for name, value in chosen.items() if value})
        return f"?{text}" if text else ""

    def rows(self, user: User, *, any_state: bool = False) -> QuerySet[Review]:
        """The expert's own reviews that match, in the order of the list. any_state: what is done stays in its place."""
        rows = own(user)
        if self.panel:
            rows = rows.filter(panel=UUID(self.panel))
        if self.stage:
            rows = rows.filter(stage=self.stage)
        if self.text:
            named = Q(bid__title__icontains=self.text) | Q(bid__organisation__name__icontains=self.text)
            rows = rows.filter(Q(bid__number__icontains=self.text) | (named & ~hidden()) | Q(pk__in=_shown(rows, self.text)))
        if any_state:
            return rows.filter(state__in=LIVE)
        return rows.filter(state__in=STATES[self.state]) if self.state else rows


def _shown(rows: QuerySet[Review], text: str) -> list[Any]:
    """Rows of panels that hide bidders, by the title that is shown: the stored one may hold the bidder's name, and a search would tell it."""
    return [row.pk for row in rows.filter(hidden()) if text.lower() in row.bid.title.lower()]


def _is_key(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def own(user: User) -> QuerySet[Review]:
    """One's own reviews in panels whose scoring has begun, without the bidder where the panel hides it."""
    rows = Review.objects.as_reviewer().filter(expert__user=user, panel__state__in=("scoring", "scored", "concluded"))
    return rows.order_by(*ORDER)


@dataclass(frozen=True)
class Place:
    """Where a review stands: 第 at / total 份, done of them, and its neighbours in the list."""

    at: int
    total: int
    done: int
    before: Any
    after: Any


def place_of(review: Review, chosen: Filter, user: User) -> Place:
    """One query, whatever the length of the queue. at is 0 when the filter leaves the review out."""
    rows = list(chosen.rows(user, any_state=True).values_list("pk", "state"))
    keys = [pk for pk, _state in rows]
    done = sum(state == "submitted" for _pk, state in rows)
    if review.pk not in keys:
        return Place(0, len(keys), done, keys[-1] if keys else None, keys[0] if keys else None)
    i = keys.index(review.pk)
    return Place(i + 1, len(keys), done, keys[i - 1] if i else None, keys[i + 1] if i + 1 < len(keys) else None)


def following(chosen: Filter, user: User, *, after: Any = None, skipped: Collection[str] = ()) -> Review | None:
    """The next unfinished one after `after` in the order of the list, from its end on to its beginning; without one, from where this expert begins.

    Each expert of a panel begins elsewhere, so that no bid is everybody's last in a tired hour; how far the others are has no say, for the order
    would tell it. A sheet on which nothing is missing is finished here, handed in or not. What was skipped in this session comes when nothing
    else is left.
    """
    rows = list(chosen.rows(user, any_state=True).select_related(*Review.door_select))
    waiting = [r for r in rows if r.state in OPEN and r.panel.state == "scoring" and r.pk != after]
    missing = {r.pk for r, own in zip(waiting, criteria_of(waiting), strict=True) if len(r.held()) < len(own)}
    ranked = [r for r in _round(rows, user, after) if r.pk in missing]
    return next((r for r in ranked if str(r.pk) not in skipped), ranked[0] if ranked else None)


def _round(rows: list[Review], user: User, after: Any) -> list[Review]:
    """The list once round, papers before hearings: from the one behind `after`, or from this expert's own beginning."""
    i = next((i for i, r in enumerate(rows) if r.pk == after), None)
    begin = i + 1 if i is not None else beginning(user, len(rows))
    return sorted(rows[begin:] + rows[:begin], key=lambda r: r.stage)


def beginning(user: User, total: int) -> int:
    """Where in a list of `total` an expert begins: spread evenly over experts, the same every day."""
    return int.from_bytes(hashlib.sha256(f"queue:{user.pk}".encode()).digest()[:8]) % total if total else 0
