"""What of the ballots may reach a bidder: comments that were written to the bidder, by expert code. Notes to the panel never pass here.

`Mark.comment` is to the bidder, `Mark.panel_comment` is for the panel and the auditors; letters to bidders read this module and not the
marks, so that no template can show the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from review.models import Mark, Review, Ruling, SecondBallot
from review.rules import RESULTS_OUT


@dataclass(frozen=True)
class Word:
    """One comment to the bidder. expert: code, never a name; stage: document or oral; criterion: code of the score sheet."""

    expert: str
    stage: str
    criterion: str
    text: str


def words_to_bidders(bids: Iterable[Any]) -> dict[Any, list[Word]]:
    """Bid's key → the comments to it from ballots that count, by expert code, stage and criterion. Three queries.

    Empty for a bid whose panel is not opened or whose results its meeting still holds back.
    """
    found: dict[Any, list[Word]] = {getattr(bid, "pk", bid): [] for bid in bids}
    counted = _counted(found)
    rows = Mark.objects.filter(review__bid__in=found, review__state="submitted", review__second=None).exclude(comment="")
    rows = rows.filter(review__in=counted.values("pk"))
    order = ("review__expert__code", "review__stage", "pk")
    fields = ("review__bid_id", "review__expert__code", "review__stage", "criterion", "comment")
    for bid, expert, stage, criterion, text in rows.order_by(*order).values_list(*fields):
        found[bid].append(Word(expert, stage, criterion, text))
    for bid, words in _after_discussion(counted).items():
        found[bid] = sorted([*found[bid], *words], key=lambda w: (w.expert, w.stage))
    return found


def _counted(bids: Iterable[Any]) -> Any:
    """The ballots whose words may go out: results are out, and the committee did not exclude them."""
    gone = Ruling.objects.filter(state="adopted", outcome="exclude", review__bid__in=bids).values("review_id")
    return Review.objects.filter(RESULTS_OUT, bid__in=bids, state="submitted").exclude(pk__in=gone)


def _after_discussion(counted: Any) -> dict[Any, list[Word]]:
    """The words of second ballots: they stand instead of those of the first."""
    found: dict[Any, list[Word]] = {}
    rows = SecondBallot.objects.filter(review__in=counted.values("pk"), opened_at__isnull=False).select_related("review__expert")
    for row in rows.order_by("review__expert__code", "review__stage"):
        review = row.review
        said = [Word(review.expert.code, review.stage, code, pair[0]) for code, pair in sorted(row.words.items()) if pair[0]]
        found.setdefault(review.bid_id, []).extend(said)
    return found
