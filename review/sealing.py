"""Sealed ballots: what an expert has marked exists only encrypted under the panel's key until the whole panel is in (review.md §4.4).

One envelope holds the points, the words and a random salt for each. What the ledger names are two commitments: HMAC-SHA256(salt, points) over
canonical JSON `{code: hundredths of a point}`, and the same over the words `{code: [to the bidder, to the panel]}`. Two, because points and salt are
published to bidders who appeal, and words to the panel are not. Without its salt nobody can try the few possible marks; the salts leave the
envelope only at the opening, and from then on anybody can check.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from grants import vault
from grants.ledger import canonical
from review.models import Draft, Mark, Review

SALT_BYTES = 32


@dataclass(frozen=True)
class Sealed:
    """What an envelope holds. points: criterion → hundredths; words: criterion → (to the bidder, to the panel); salts in hex."""

    points: Mapping[str, int]
    words: Mapping[str, tuple[str, str]]
    salt: str = ""
    words_salt: str = ""

    @classmethod
    def of(cls, marks: Mapping[str, Mark], salt: str = "", words_salt: str = "") -> Sealed:
        points = {code: int(mark.value * 100) for code, mark in marks.items()}
        return cls(points, {code: (m.comment, m.panel_comment) for code, m in marks.items()}, salt, words_salt)

    def commitments(self) -> dict[str, str]:
        """Name → HMAC-SHA256 in hex, of what has a salt: “ballot” over the points, “words” over the words."""
        both = (("ballot", self.salt, self.points), ("words", self.words_salt, self.words))
        return {name: commitment(salt, value) for name, salt, value in both if salt}


def commitment(salt: str, value: Mapping[str, Any]) -> str:
    """HMAC-SHA256 of canonical JSON under a salt of 32 bytes in hex; in hex."""
    return hmac.new(bytes.fromhex(salt), canonical.encode(value), hashlib.sha256).hexdigest()


def seal(review: Review, marks: Mapping[str, Mark]) -> dict[str, str]:
    """Put these marks, under fresh salts, in place of the review's sealed ballot and save it; the commitments by name."""
    made = Sealed.of(marks, secrets.token_hex(SALT_BYTES), secrets.token_hex(SALT_BYTES))
    review.sealed = vault.seal(review.panel.data_key, asdict(made), about=_about(review))
    review.save(update_fields=["sealed"])
    return made.commitments()


def unsealed(review: Review) -> Sealed:
    """What the envelope holds; nothing where nothing was marked yet. Raises vault.CannotOpen."""
    if review.sealed is None:
        return Sealed({}, {})
    found = vault.unseal(review.panel.data_key, review.sealed, about=_about(review))
    words = {code: (to_bidder, to_panel) for code, (to_bidder, to_panel) in found["words"].items()}
    return Sealed(found["points"], words, found["salt"], found["words_salt"])


def held(review: Review) -> dict[str, Mark]:
    """Criterion → mark: rows after the opening, unsaved objects before it. Raises vault.CannotOpen."""
    if review.opened_at is not None:
        return {mark.criterion: mark for mark in review.marks.all()}
    return marks_of(review, unsealed(review))


def marks_of(review: Review, found: Sealed) -> dict[str, Mark]:
    """The marks of a ballot as unsaved rows."""
    return {
        code: Mark(review=review, criterion=code, value=Decimal(points).scaleb(-2), comment=words[0], panel_comment=words[1])
        for code, points in found.points.items()
        for words in [found.words.get(code, ("", ""))]
    }


def committed(review: Review) -> dict[str, str]:
    """The commitments of the ballot as it stands: out of the envelope, or recomputed from the opened rows."""
    if review.opened_at is not None:
        return Sealed.of(held(review), review.salt, review.words_salt).commitments()
    return unsealed(review).commitments()


def seal_reason(review: Review, reason: str) -> str:
    """Put the reason of a deviation into its envelope (not saved); its commitment, "" when it is taken away. Of an opened ballot, in the
    clear as well: a panel that scores again may ask its experts once more."""
    if review.opened_at is not None:
        review.deviation_reason = reason
    if not reason:
        review.sealed_reason = None
        return ""
    salt = secrets.token_hex(SALT_BYTES)
    review.sealed_reason = vault.seal(review.panel.data_key, {"salt": salt, "reason": reason}, about=f"reason:{review.pk}")
    return commitment(salt, {"review": str(review.pk), "reason": reason})


def reason_of(review: Review) -> str:
    """The reason of a deviation, sealed or opened. Raises vault.CannotOpen."""
    if review.opened_at is not None or review.sealed_reason is None:
        return review.deviation_reason
    return str(vault.unseal(review.panel.data_key, review.sealed_reason, about=f"reason:{review.pk}")["reason"])


def keep_draft(review: Review, number: int, content: Mapping[str, str], aside: Mapping[str, str] | None = None) -> Draft:
    """One more version of what was typed."""
    value = {"content": dict(content), "aside": dict(aside or {})}
    sealed = vault.seal(review.panel.data_key, value, about=_about_draft(review.pk, number))
    return Draft.objects.create(review=review, number=number, sealed=sealed, kept_aside=bool(aside))


def unseal_draft(draft: Draft) -> dict[str, Any]:
    """{"content", "aside"} of a draft. Raises vault.CannotOpen."""
    about = _about_draft(draft.review_id, draft.number)
    return dict(vault.unseal(draft.review.panel.data_key, draft.sealed, about=about))


def _about(review: Review) -> str:
    return f"ballot:{review.pk}"


def _about_draft(review_id: Any, number: int) -> str:
    return f"draft:{review_id}:{number}"
