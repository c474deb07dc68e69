"""第二次评分: after the discussion an expert may give a bid a second ballot; the first is never touched, and the last one counts (ADR 23).

A second ballot is a whole one — points, words, and why it differs — sealed in an envelope of its own under the panel's key and committed to in the
ledger exactly as the first is. It can be given anew until the lock; what is counted is what the newest `review.revise` entry names.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from grants import clock, vault
from grants.ledger.log import entry_of
from grants.ledger.models import AuditEvent
from grants.workflow.refusals import Invalid
from review import sealing
from review.ballots import checked, lines, own_criteria
from review.models import Mark, Review, SecondBallot
from review.sealing import Sealed, commitment

CAST = "review.revise"
NAMED = ("ballot", "words", "reason")
LONGEST = 2000
AT_ONCE = 500


def cast(review: Review, marks: Mapping[str, Any], comments: Mapping[str, tuple[str, str]], reason: str) -> dict[str, str]:
    """Seal a second ballot of a review; its commitments by name. marks: every criterion → points; comments: criterion → (to the bidder, to
    the panel). Raises Invalid: a criterion is missing or out of range, no reason, nothing differs from the first ballot.
    """
    why = lines(reason)
    if not why or len(why) > LONGEST:
        sentence = _("请写明第二次评分与第一次不同的理由（%(most)d 字以内）。") % {"most": LONGEST}
        raise Invalid(sentence, rule="second_reason", problems={"reason": [sentence]})
    values = checked(review, marks)
    if missing := [c for c in own_criteria(review) if c.code not in values]:
        sentence = _("第二次评分须逐项填写，还缺：%(what)s。") % {"what": "、".join(c.name for c in missing)}
        raise Invalid(sentence, rule="second_complete", problems={c.code: [sentence] for c in missing})
    if {code: int(value * 100) for code, value in values.items()} == review.ballot():
        raise Invalid(_("各项得分与第一次完全相同，不需要第二次评分。"), rule="second_differs")
    return _seal(review, values, comments, why)


def _seal(review: Review, values: Mapping[str, Any], comments: Mapping[str, tuple[str, str]], why: str) -> dict[str, str]:
    words = {code: tuple(lines(text) for text in comments.get(code, ("", ""))) for code in values}
    made = {
        "points": {code: int(value * 100) for code, value in values.items()}, "words": {code: list(pair) for code, pair in words.items()},
        "reason": why, **{name: secrets.token_hex(sealing.SALT_BYTES) for name in ("salt", "words_salt", "reason_salt")},
    }  # fmt: skip
    SecondBallot.objects.update_or_create(
        review=review, defaults={"sealed": vault.seal(review.panel.data_key, made, about=_about(review)), "cast_at": clock.now()}
    )
    review.explain_with("")  # a reason explains the ballot it was written for
    return _commitments(review, made)


def _about(review: Review) -> str:
    return f"second:{review.pk}"


def _commitments(review: Review, found: Mapping[str, Any]) -> dict[str, str]:
    return {
        "ballot": commitment(found["salt"], found["points"]), "words": commitment(found["words_salt"], found["words"]),
        "reason": commitment(found["reason_salt"], {"review": str(review.pk), "reason": found["reason"]}),
    }  # fmt: skip


def of(review: Review) -> SecondBallot | None:
    """The second ballot of a review; None where none was given."""
    try:
        return review.second
    except SecondBallot.DoesNotExist:
        return None


def content(review: Review) -> dict[str, Any] | None:
    """{"points", "words", "reason", three salts}, sealed or opened. Raises vault.CannotOpen."""
    row = of(review)
    if row is None:
        return None
    if row.opened_at is not None:
        return {name: getattr(row, name) for name in ("points", "words", "reason", "salt", "words_salt", "reason_salt")}
    return dict(vault.unseal(review.panel.data_key, row.sealed, about=_about(review)))


def held(review: Review) -> dict[str, Mark] | None:
    """Criterion → mark of the second ballot as unsaved rows; None where none was given. Raises vault.CannotOpen."""
    found = content(review)
    if found is None:
        return None
    return sealing.marks_of(review, Sealed(found["points"], {code: (pair[0], pair[1]) for code, pair in found["words"].items()}))


def counting(review: Review) -> dict[str, Mark]:
    """The marks that count: of the second ballot where there is one. Raises vault.CannotOpen."""
    second = held(review)
    return review.held() if second is None else second


def unwhole(reviews: Iterable[Review]) -> list[Review]:
    """Of these reviews, those whose second ballot does not open or is not the one the ledger names; one the ledger names and nobody has, too."""
    rows = list(reviews)
    named = commitments(rows)
    return [r for r in rows if not _agrees(_now(r), named.get(r.subject, {}))]


def _now(review: Review) -> Mapping[str, str]:
    try:
        found = content(review)
        return {} if found is None else _commitments(review, found)
    except (vault.CannotOpen, KeyError, TypeError, ValueError):
        return {"ballot": "broken"}


def _agrees(now: Mapping[str, str], named: Mapping[str, str]) -> bool:
    return all(hmac.compare_digest(now.get(name, ""), named.get(name, "")) for name in NAMED)


def commitments(reviews: Iterable[Review]) -> Mapping[str, Mapping[str, str]]:
    """Subject → the commitments in its newest second ballot's entry of the ledger; reviews without one are not there."""
    found: dict[str, Mapping[str, str]] = {}
    subjects = [review.subject for review in reviews]
    for first in range(0, len(subjects), AT_ONCE):
        rows = AuditEvent.objects.filter(event=CAST, subject__in=subjects[first : first + AT_ONCE]).select_related("payload").order_by("id")
        found.update({row.subject: entry_of(row).files for row in rows})
    return found


def open_all(reviews: Iterable[Review]) -> int:
    """Write every second ballot of these reviews in the clear; how many. The caller has asked `unwhole`."""
    rows = []
    for review in reviews:
        row, found = of(review), content(review)
        if row is None or found is None:
            continue
        for name, value in found.items():
            setattr(row, name, value)
        row.opened_at = clock.now()
        rows.append(row)
    SecondBallot.objects.bulk_update(rows, ["points", "words", "reason", "salt", "words_salt", "reason_salt", "opened_at"], batch_size=AT_ONCE)
    return len(rows)
