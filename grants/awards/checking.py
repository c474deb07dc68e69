"""The proven optimum beside a proposal: asked for in the proposal's transaction, proven afterwards by a worker, kept with its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grants import clock, ledger
from grants.awards.allocation import Candidate, SelectionRules
from grants.awards.models import SelectionCheck
from grants.awards.optimum import Optimum, optimum
from grants.awards.selection import propose
from grants.awards.selection_file import from_data, to_data
from grants.ledger import canonical
from grants.workflow.effects import schedule

if TYPE_CHECKING:
    from review.models import Panel


def ask(panel: Panel, candidates: Sequence[Candidate], rules: SelectionRules, event_id: int) -> None:
    """Keep the question and promise the answer; called in the transaction of the proposal."""
    question = canonical.encode(to_data(candidates, rules)).decode()
    SelectionCheck.objects.create(panel=panel, question=question, made_at=clock.now())
    schedule(["awards.optimum"], panel, event_id)


def check(row: SelectionCheck) -> Optimum:
    """Select once more from the question that was kept, and compare with the proven optimum."""
    candidates, rules = from_data(json.loads(row.question))
    return optimum(candidates, rules, propose(candidates, rules))


def keep(panel: Panel, found: Optimum) -> None:
    """Write the answer once; its hash goes into the ledger."""
    body = canonical.encode(found.data()).decode()
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    if SelectionCheck.objects.filter(panel=panel, body="").update(body=body, sha256=sha256):
        ledger.record(
            event="call.optimum", actor="system", role="system", subject=panel.call.subject, scope=panel.call.subject,
            public={"panel": str(panel.pk), "status": found.status, "optimum": sha256, "method": found.method},
        )  # fmt: skip


def kept(panel: Panel) -> dict[str, Any] | None:
    """The stored comparison as `optimum.Optimum.data` wrote it; None while it is not proven yet."""
    row = SelectionCheck.objects.filter(panel=panel).exclude(body="").first()
    return None if row is None else json.loads(row.body)
