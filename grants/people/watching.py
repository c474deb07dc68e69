"""An auditor's readings and downloads are entries of the log (design §8), shown on the timeline of what was read; others read without one."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from grants import clock, ledger
from grants.people.rules import may
from grants.workflow.rules import Ask

AUDITS = may("audit")


def watched(actor: Any, about: Any, verb: str, what: str) -> None:
    """Note that an auditor read (`read`) or took home (`download`) a page of `about`, a call or something of one. Nothing for anybody else.

    what: which page or file, a stable word. Called by a view that has already checked who asks.
    """
    if not AUDITS.answer(Ask(actor, about, clock.now())).ok:
        return
    with transaction.atomic():
        ledger.record(
            event=f"{about.kind()}.{verb}", actor=str(actor.pseudonym), role="auditor", subject=about.subject, verb=verb,
            scope=about.call.subject, source=about.state, target=about.state, public={"what": what},
        )  # fmt: skip
