"""What recurs, and how often. The embedded worker and Celery's beat read the same list; nothing is ever scheduled as an ETA task."""

from __future__ import annotations

from grants.workflow.worker import Chore

CHORES: list[Chore] = [
    Chore("calls.pulse", "grants.calls.outages.pulse", 1),
    Chore("calls.tick", "grants.calls.services.tick", 1),
    Chore("people.remind", "grants.people.services.remind", 3600),
    Chore("bidding.tick", "bidding.services.tick", 5),
    Chore("bidding.announce_programs", "bidding.services.programs.announce_changes", 60),
    Chore("evaluation.tick", "grants.evaluation.services.tick", 60),
    Chore("notifications.deliver", "grants.notifications.services.deliver", 5),
    Chore("notifications.digest", "grants.notifications.digest.send", 600),
    Chore("ledger.sequence", "grants.ledger.sequencer.sequence", 1),
    Chore("ledger.checkpoint", "grants.ledger.sequencer.checkpoint", 60),
    Chore("ledger.stamp", "grants.ledger.stamping.stamp_due", 600),
    Chore("ledger.sweep", "grants.ledger.sweeping.nightly", 900),
    Chore("ledger.tiles", "grants.ledger.proofs.keep_tiles", 60),
    Chore("awards.renew_stamps", "grants.awards.renewing.renew_due", 86400),
    Chore("documents.refresh_list", "grants.documents.signing.authority.refresh", 3600),
    Chore("workflow.sweep", "grants.workflow.effects.sweep", 30),
]
