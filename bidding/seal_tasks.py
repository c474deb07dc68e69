"""What is printed of a key and after an opening: the notice of keys and programs, the record, a letter to everybody who had handed in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from bidding import sealing_bundle
from bidding.models import OpeningRecord, SealedVersion, SealKey, SealProgram
from bidding.sealing.refusals import SealRefused
from bidding.tasks import beijing, write_to
from grants import clock
from grants.documents.files import store
from grants.documents.pdf import render_pdf
from grants.documents.qr import qr_code
from grants.ledger import keys
from grants.notifications.services import send_all
from grants.workflow.effects import Apply, Job, effect

RECORD_BYTES = 20 * 1024 * 1024
MOST_LINE = 200
"""Letters of a public key that is printed: the post-quantum one has thousands and stands on the page."""


@effect("bidding.print_seal_notice", slow=True)
def print_seal_notice(job: Job) -> Apply:
    """Print what bidders compare, once for every announced program; the key's record and the list of scripts are inside the file."""
    waiting = SealProgram.objects.filter(key_id=job.object_id, pdf=None).select_related("key__call__agency")
    printed = [(row, _notice(row)) for row in waiting]

    def apply() -> None:
        for row, pdf in printed:
            row.pdf = store(pdf, name="notice.pdf", allowed={"pdf"}, max_bytes=RECORD_BYTES)
            row.save(update_fields=["pdf"])

    return apply


def _notice(row: SealProgram) -> bytes:
    inside = {"key.json": row.key.record.encode(), "programs.txt": sealing_bundle.listed().encode()}
    return render_pdf(
        "documents/seal_notice.html", notice_context(row), identifier=f"seal:{row.key.fingerprint}:{row.pk}",
        issued_on=row.at.astimezone(clock.TZ).date(), attachments=inside,
    )  # fmt: skip


def notice_context(row: SealProgram) -> dict[str, Any]:
    """What `documents/seal_notice.html` asks for: the programs up to this row. Offices, not names."""
    key = row.key
    return {
        "call": key.call.title, "code": key.call.code, "opens_at": key.call.opens_at, "closes_at": key.call.closes_at,
        "officers": [officer.name for officer in key.officers.all()], "threshold": key.threshold, "recipient": key.recipient,
        "fingerprint": key.fingerprint, "programs": [(each.fingerprint, each.at) for each in key.programs.filter(pk__lte=row.pk)],
        "scripts": len(sealing_bundle.PROGRAM), "keys": [str(line) for line in keys.published() if len(str(line)) < MOST_LINE],
        "issuer": key.call.agency.name, "digest": key.fingerprint, "qr": qr_code(_address(key), label="密封投标与开标"),
    }  # fmt: skip


@effect("bidding.print_opening", slow=True)
def print_opening(job: Job) -> Apply:
    """Print the opening record; again with each signature. The record itself is inside the file."""
    record = OpeningRecord.objects.select_related("key__call__agency").get(key_id=job.object_id)
    inside = {"opening.json": record.document.encode()}
    pdf = render_pdf(
        "documents/opening.html", record_context(record), identifier=f"opening:{record.hash}", issued_on=record.at.astimezone(clock.TZ).date(),
        attachments=inside,
    )  # fmt: skip

    def apply() -> None:
        record.pdf = store(pdf, name="opening.pdf", allowed={"pdf"}, max_bytes=RECORD_BYTES)
        record.save(update_fields=["pdf"])

    return apply


def record_context(record: OpeningRecord) -> dict[str, Any]:
    """What `documents/opening.html` asks for. Offices, not names: the paper may hang on a wall."""
    key = record.key
    offices = {row.user_id: row.name for row in key.officers.all()}
    return {
        "call": key.call.title, "code": key.call.code, "at": record.at, "officers": record.officers, "opened": record.opened,
        "failed": record.failed, "lost": key.is_lost, "digest": record.hash, "fingerprint": key.fingerprint, "issuer": key.call.agency.name,
        "rows": [{**row, "words": _in_words(row)} for row in record.told["bids"]],
        "signatures": [(offices[row.user_id], row.at) for row in record.signatures.all()],
        "qr": qr_code(_address(key), label="公开的开标记录"),
    }  # fmt: skip


def _in_words(row: dict[str, Any]) -> str:
    return "已打开" if row["result"] == "opened" else f"没有打开：{SealRefused(row['result'], row['file']).sentence}"


def _address(key: SealKey) -> str:
    return f"{settings.SITE_URL}{reverse('bidding:seal_public', args=[key.call.code])}" if settings.SITE_URL else key.fingerprint


@effect("bidding.tell_opening")
def tell_opening(job: Job) -> None:
    """Tell every bidder whether their bid opened, and what to do when it did not."""
    key = SealKey.objects.select_related("call__agency").get(pk=job.object_id)
    at = beijing(key.opened_at)
    for version in last_versions(key):
        bid, context = version.bid, {"call": key.call, "at": at}
        if not bid.is_sealed:
            write_to(bid, "opened", f"{job.key}/{bid.pk}", context)
            continue
        told = {**context, "why": SealRefused(version.refusal, version.refused_file).sentence, "contact": key.call.agency.contact}
        write_to(bid, "not_opened", f"{job.key}/{bid.pk}", told, page="bidding:restore")


@effect("bidding.tell_lost_report")
def tell_lost_report(job: Job) -> None:
    """Tell every opening officer that keys are said to be lost: whoever finds theirs can still say so, or open."""
    key = SealKey.objects.select_related("call__agency").get(pk=job.object_id)
    people = [row.user for row in key.officers.select_related("user")]
    context = {"call": key.call, "contact": key.call.agency.contact}
    send_all(to=people, template="bidding/key_reported", context=context, key=job.key, link=reverse("bidding:seal_lost", args=[key.call_id]))


@effect("bidding.tell_key_lost")
def tell_key_lost(job: Job) -> None:
    """Tell every bidder that nothing was opened because keys were lost, and how to hand in the kept copy."""
    key = SealKey.objects.select_related("call__agency").get(pk=job.object_id)
    told = {"call": key.call, "at": beijing(key.opened_at), "contact": key.call.agency.contact, "last": key.kept_last_day}
    for version in last_versions(key):
        context = {**told, "submitted": beijing(version.submitted_at)}
        write_to(version.bid, "key_lost", f"{job.key}/{version.bid_id}", context, page="bidding:restore")


def last_versions(key: SealKey) -> list[SealedVersion]:
    """The version that counted of every bid that was handed in."""
    from bidding.services.openings import waiting  # noqa: PLC0415 - beside its only use

    return list(waiting(key))
