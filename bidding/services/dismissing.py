"""Setting a hint about related applicants aside, with a reason; and taking that back. A hint stops nothing, so this moves no bid."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.models import RelatedDismissal
from bidding.queue import hints
from bidding.rules import screens_calls
from grants import clock, ledger
from grants.calls.models import Call
from grants.workflow.door import require
from grants.workflow.refusals import Invalid


def dismiss_hint(call: Call, fingerprint: str, reason: str, *, by: Any) -> RelatedDismissal:
    """The clerk looked into it and it is innocent. Raises NotYou, Invalid (no such hint, no reason). The reason is kept privately."""
    role = require(screens_calls, call, by=by).role
    hint = next((h for h in hints(call) if h.fingerprint == fingerprint), None)
    if hint is None:
        raise Invalid(_("没有这条线索，可能资料已经更正；请刷新页面。"), rule="hint_known")
    if not reason.strip():
        sentence = _("请写明核实的经过和排除的理由。")
        raise Invalid(sentence, rule="hint_reason", problems={"reason": [sentence]})
    with transaction.atomic():
        columns = {"reason": reason.strip()[:300], "by": by, "at": clock.now(), "kind": hint.kind}
        made, _new = RelatedDismissal.objects.update_or_create(call=call, fingerprint=fingerprint, defaults=columns)
        ledger.record(
            event="call.dismiss_hint", actor=str(by.pseudonym), role=role, subject=call.subject, scope=call.subject, verb="dismiss_hint",
            public={"kind": hint.kind, "bids": list(hint.bids)}, private={"note": made.reason},
        )  # fmt: skip
    return made
