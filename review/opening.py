"""Opening the ballots of a panel: once, all together, each checked against the commitment that the ledger has held since it was handed in."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from grants import clock, vault
from grants.ledger.log import entry_of
from grants.ledger.models import AuditEvent
from review import sealing, second
from review.models import Mark, Review

if TYPE_CHECKING:
    from review.models import Panel

HANDED_IN = "review.submit"
AT_ONCE = 500
COLUMNS = ["salt", "words_salt", "deviation_reason", "opened_at"]


def submitted(panel: Panel) -> list[Review]:
    """The ballots that count, in a fixed order."""
    return list(panel.reviews.filter(state="submitted").select_related("expert", "bid", "second").order_by("pk"))


def broken(panel: Panel) -> list[Review]:
    """Handed-in ballots that do not open, or are not what the ledger says was handed in; asked only once every ballot is in."""
    return whole(submitted(panel))


def whole(reviews: Iterable[Review]) -> list[Review]:
    """Of these reviews, those whose seal is *not* whole. Empty: every one opens and matches its commitment."""
    rows = list(reviews)
    named = commitments(rows)
    bad = {review.pk for review in second.unwhole(rows)}
    return [review for review in rows if review.pk in bad or not _agrees(_now(review), named.get(review.subject, {}))]


def _now(review: Review) -> Mapping[str, str]:
    try:
        return sealing.committed(review)
    except (vault.CannotOpen, KeyError, TypeError, ValueError):
        return {}


def _agrees(now: Mapping[str, str], named: Mapping[str, str]) -> bool:
    """Whether what stands now is what the ledger names; ballots handed in before words were committed to have none to compare."""
    wanted = {name: value for name, value in named.items() if name in ("ballot", "words")}
    return "ballot" in wanted and all(hmac.compare_digest(now.get(name, ""), value) for name, value in wanted.items())


def commitments(reviews: Iterable[Review]) -> Mapping[str, Mapping[str, str]]:
    """Subject → the commitments in its newest “handed in” entry of the ledger. One query for five hundred."""
    found: dict[str, Mapping[str, str]] = {}
    subjects = [review.subject for review in reviews]
    for first in range(0, len(subjects), AT_ONCE):
        some = subjects[first : first + AT_ONCE]
        rows = AuditEvent.objects.filter(event=HANDED_IN, subject__in=some).select_related("payload").order_by("id")
        found.update({row.subject: entry_of(row).files for row in rows})
    return found


def open_all(panel: Panel) -> int:
    """Write marks, salt and reason of every ballot still sealed in the clear; how many. The caller has asked `broken`.

    A panel that scored again after a ballot was voided opens only what came since: what was opened once stays as it is.
    """
    rows, now = [review for review in submitted(panel) if review.opened_at is None], clock.now()
    second.open_all(rows)
    marks: list[Mark] = []
    for review in rows:
        found = sealing.unsealed(review)
        marks += sealing.marks_of(review, found).values()
        review.salt, review.words_salt, review.deviation_reason = found.salt, found.words_salt, sealing.reason_of(review)
        review.opened_at = now
    Review.objects.bulk_update(rows, COLUMNS, batch_size=AT_ONCE)
    Mark.objects.bulk_create(marks, batch_size=AT_ONCE)
    return len(rows)


def recheck(panel: Panel) -> list[dict[str, Any]]:
    """For the evidence: per opened ballot its points and salt, the ledger's commitment, and whether points and words still agree.

    Words are not repeated here: those to the panel are nobody's but the panel's.
    """
    rows = list(panel.reviews.exclude(opened_at=None).select_related("expert", "bid", "second").prefetch_related("marks").order_by("pk"))
    named, bad = commitments(rows), {review.pk for review in second.unwhole(rows)}
    return [{**_evidence(review, named.get(review.subject, {})), **_second(review, whole=review.pk not in bad)} for review in rows]


def _second(review: Review, *, whole: bool) -> dict[str, Any]:
    """The ballot after the discussion, where there is one; it counts instead of the first."""
    found = second.content(review)
    return {} if found is None else {"second": {"points": found["points"], "salt": found["salt"], "agrees": whole}}


def _evidence(review: Review, named: Mapping[str, str]) -> dict[str, Any]:
    return {
        "expert": review.expert.code, "bid": review.bid.number, "stage": review.stage, "salt": review.salt,
        "points": review.ballot(), "commitment": named.get("ballot", ""), "agrees": _agrees(sealing.committed(review), named),
    }  # fmt: skip
