"""Cosignatures of witnesses: somebody elsewhere who has seen that each signed tree continues the last, and says so (c2sp.org/tlog-cosignature).

With two or three witnesses an insider who holds the log's key can no longer show one log to the bidder and another to the auditor. Their
keys are in LEDGER_WITNESSES; a line of any other key is refused, because nobody here could check it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.translation import gettext as _

from grants.ledger import keys
from grants.ledger.errors import NotProvable
from grants.ledger.models import Checkpoint, Cosignature
from grants.ledger.note import COSIGNATURE, BadNote, TreeHead, Verifier, open_note, signature_lines


def take(note: str) -> int:
    """Keep the cosignatures of our witnesses that a returned checkpoint carries; returns how many are new.

    Raises BadNote when one does not hold or the note is not ours, NotProvable when we never signed such a checkpoint.
    """
    head = TreeHead.parse(open_note(note, keys.verifiers()))
    checkpoint = Checkpoint.objects.filter(size=head.size, root=head.root).first()
    if checkpoint is None or head.origin != keys.origin():
        raise NotProvable(_("本台账没有签署过大小为 %(size)s、根相同的检查点。") % {"size": head.size})
    taken = 0
    for verifier, line, signature in _of_witnesses(note):
        signed_at = datetime.fromtimestamp(int.from_bytes(signature[:8], "big"), tz=UTC)
        _row, new = Cosignature.objects.get_or_create(
            checkpoint=checkpoint, name=verifier.name, defaults={"line": line, "signed_at": signed_at}
        )
        taken += new
    return taken


def _of_witnesses(note: str) -> list[tuple[Verifier, str, bytes]]:
    known = {(v.name, v.key_id): v for v in keys.witnesses() if v.kind == COSIGNATURE}
    found = [(known[name, raw[:4]], line, raw[4:]) for line, name, raw in signature_lines(note) if (name, raw[:4]) in known]
    if not found:
        raise BadNote(_("这份检查点里没有已登记见证者(LEDGER_WITNESSES)的联署。"))
    return found
