"""The feedback letter on paper: Chinese whatever the reader's language, the same bytes from the same locked result."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import translation

from grants import clock
from grants.awards.feedback import LEAST, Letter, letter
from grants.awards.models import Decision
from grants.documents.files import store
from grants.documents.models import StoredFile
from grants.documents.pdf import render_pdf

NEEDS = ("bid__organisation", "bid__sponsor", "bid__award", "call__agency", "call__rules_version", "panel")
"""What a decision should be read with."""
PAPER_BYTES = 20 * 1024 * 1024


def print_feedback(decision: Decision) -> bytes:
    """The letter as PDF; about a second."""
    with translation.override("zh-hans"):
        said = letter(decision)
        context = printed(said)
    day = (decision.released_at or clock.now()).astimezone(clock.TZ).date()
    return render_pdf("documents/feedback.html", context, identifier=f"feedback:{decision.bid_id}", issued_on=day)


def kept(decision: Decision) -> StoredFile:
    """The letter as it was first printed after the release: printed now if nobody has asked for it yet.

    Not printed with the release: sixty letters of a second each would hold up everything else that follows it, and most are read on the page.
    """
    if decision.letter is None:
        decision.letter = store(print_feedback(decision), name="feedback.pdf", allowed={"pdf"}, max_bytes=PAPER_BYTES)
        Decision.objects.filter(pk=decision.pk, letter=None).update(letter=decision.letter)
    return decision.letter


def printed(said: Letter) -> dict[str, Any]:
    """Context of `documents/feedback.html`."""
    decision = said.decision
    return {
        "letter": said, "decision": decision, "bid": decision.bid, "call": decision.call, "number": decision.bid.number,
        "issuer": decision.call.agency.name, "digest": _digest(said), "least": LEAST, "stages": len({b.stage for b in said.ballots}) > 1,
    }  # fmt: skip


def _digest(said: Letter) -> str:
    """SHA-256 over the figures of the letter."""
    rows = [[line.code, str(line.own), str(line.funded), [[v.expert, str(v.points)] for v in line.voices]] for line in said.lines]
    text = repr([said.bid.number, str(said.decision.score), said.decision.rank, said.decision.reason, rows])
    return hashlib.sha256(text.encode()).hexdigest()
