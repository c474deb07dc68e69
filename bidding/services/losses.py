"""密钥丢失: too few officers have keys left, nobody can open. One person reports it, another declares it, then kept copies restore (ADR 22).

Nothing is opened here and no secret is asked for. Until the declaration a key that is found again opens everything as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.loss_rules import LEAST_DAYS, kept_until
from bidding.models import Bid, OpeningRecord, SealKey
from bidding.sealing.envelope import Sealed
from bidding.sealing.opening import LOST
from bidding.sealing.refusals import SealRefused
from bidding.services.ceremonies import refuse_lost
from bidding.services.openings import recorded, stays_closed, waiting
from grants import clock, ledger
from grants.ledger import Entry
from grants.people.again import Proof
from grants.people.models import User
from grants.workflow.door import explain, perform
from grants.workflow.refusals import Invalid


def report(key: SealKey, offices: Sequence[str], *, by: User, note: str, proof: Proof | None) -> SealKey:
    """报告密钥丢失. offices: those of the officers whose keys are lost; note: how it came about, kept privately.

    Raises NotYou, NotNow (too early, reported already, enough keys left, not shown again who it is), Invalid (no reason).
    """
    _refuse_silence(note)
    return perform(key, "report_lost", by=by, note=note, offices=list(offices), authenticated=proof)


def withdraw(key: SealKey, *, by: User, note: str = "") -> SealKey:
    """撤销丢失报告: a key was found again before the declaration. Raises NotYou, NotNow (nothing reported, declared or opened already)."""
    refuse_lost(key)
    return perform(key, "withdraw_lost", by=by, note=note)


@transaction.atomic
def declare(key: SealKey, *, by: User, note: str, proof: Proof | None, last: date | None = None) -> SealKey:
    """宣布密钥丢失, by another person than who reported it: every bid stays closed, the record is written, layers taken off are put away.

    last: the last day on which kept copies are taken; ten working days without it, and never fewer. An opening at the same moment waits for the
    key's row, and whoever comes second is told. Raises as `report`; Invalid (last is too early).
    """
    _refuse_silence(note)
    until = _until(last)
    held = SealKey.objects.select_for_update(of=("self",)).select_related(*SealKey.door_select).get(pk=key.pk)
    refusal = explain(held, "declare_lost", by, authenticated=proof)
    if refusal is not None:
        raise refusal
    record = _all_closed(held)
    held.shares.update(layer=0, waiting="")
    return perform(held, "declare_lost", by=by, note=note, record=record, until=until, authenticated=proof)


def _until(last: date | None) -> datetime:
    try:
        return kept_until(last)
    except ValueError as early:
        day = early.args[0].astimezone(clock.TZ).date() - timedelta(days=1)
        told = {"n": LEAST_DAYS, "day": day.isoformat()}
        sentence = _("留存包至少收满 %(n)d 个工作日，即到 %(day)s；可以更晚，不能更早。") % told
        raise Invalid(sentence, rule="kept_until", problems={"last": [sentence]}) from early


def _all_closed(key: SealKey) -> OpeningRecord:
    with closing(waiting(key)) as versions:
        outcomes = [stays_closed(version, Sealed(version.told, {}), SealRefused(LOST)) for version in versions]
    return recorded(key, [], outcomes, why=LOST)


def _refuse_silence(note: str) -> None:
    if not note.strip():
        sentence = _("请写明经过和您核对了什么，另一人和审计据此判断。")
        raise Invalid(sentence, rule="reason_given", problems={"note": [sentence]})


def told(key: SealKey) -> Entry | None:
    """The report that stands or was declared, as the log has it: its reason and offices are the entry's private part. One query."""
    reports = [entry for entry in ledger.history(key.subject) if entry.event == "seal.report_lost"]
    return reports[-1] if reports and key.lost_reported_by_id is not None else None


def left_closed(key: SealKey) -> dict[str, int]:
    """How many bids of an opened call have been restored from kept copies, and how many still wait for one."""
    closed = Bid.objects.filter(call=key.call, sealed=True, opened_at=None).exclude(seal_refusal="")
    return {"restored": key.record_row.failed - closed.count(), "left": closed.filter(state="submitted").count()}
