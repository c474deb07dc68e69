"""What of the ballots may reach a bidder: comments that were written to the bidder, by expert code. Notes to the panel never pass here.

`Mark.comment` is to the bidder, `Mark.panel_comment` is for the panel and the auditors; letters to bidders read this module and not the
marks, so that no template can show the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from review.models import Mark, Review
from review.rules import RESULTS_OUT


@dataclass(frozen=True)
class Word:
    """One comment to the bidder. expert: code, never a name; stage: document or oral; criterion: code of the score sheet."""

    expert: str
    stage: str
    criterion: str
    text: str


def words_to_bidders(bids: Iterable[Any]) -> dict[Any, list[Word]]:
    """Bid's key → the comments to it from ballots that count, by expert code, stage and criterion. One query.

    Empty for a bid whose panel is not opened or whose results its meeting still holds back.
    """
    found: dict[Any, list[Word]] = {getattr(bid, "pk", bid): [] for bid in bids}
    rows = Mark.objects.filter(review__bid__in=found, review__state="submitted").exclude(comment="")
    rows = rows.filter(review__in=Review.objects.filter(RESULTS_OUT).values("pk"))
    order = ("review__expert__code", "review__stage", "pk")
    fields = ("review__bid_id", "review__expert__code", "review__stage", "criterion", "comment")
    for bid, expert, stage, criterion, text in rows.order_by(*order).values_list(*fields):
        found[bid].append(Word(expert, stage, criterion, text))
    return found
