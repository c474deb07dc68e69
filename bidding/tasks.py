"""What follows a step of a bid: the receipt, letters, and the working copy set straight after the deadline."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse

from bidding.models import Bid, BidVersion, SealedVersion, WithdrawalReceipt
from bidding.services import receipts
from grants import clock, ledger
from grants.calls.models import Call
from grants.documents.files import store
from grants.documents.pdf import render_pdf
from grants.documents.qr import qr_code
from grants.ledger import keys
from grants.ledger.receipts import leaf_hash_of
from grants.notifications.services import send_all
from grants.people.models import User
from grants.people.services import holders, signatories
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import Apply, Job, effect

RECEIPT_BYTES = 5 * 1024 * 1024


@effect("bidding.acknowledge", slow=True)
def acknowledge(job: Job) -> Apply:
    """Print the receipt of each version that has none yet and write to the organisation: what arrived, when, and its hash.

    Two submissions shortly after each other may both be printed by the first job; the second then finds nothing to do.
    """
    sealed = SealedVersion.objects.filter(bid_id=job.object_id).values("number")  # their receipts were given when they were handed in
    rows = BidVersion.objects.filter(bid_id=job.object_id, receipt=None).exclude(number__in=sealed)
    versions = rows.select_related("bid__call__agency", "submitted_by")
    printed = [(version, _receipt(receipts.of_version(version))) for version in versions.order_by("number")]

    def apply() -> None:
        for version, pdf in printed:
            _keep_receipt(version, pdf, job.key)

    return apply


@effect("bidding.acknowledge_sealed", slow=True)
def acknowledge_sealed(job: Job) -> Apply:
    """The same for each sealed version: what arrived is named by its hashes, nobody here knows more."""
    rows = SealedVersion.objects.filter(bid_id=job.object_id, receipt=None).select_related("bid__call__agency", "submitted_by")
    printed = [(version, _receipt(receipts.of_version(version))) for version in rows.order_by("number")]

    def apply() -> None:
        for version, pdf in printed:
            _keep_receipt(version, pdf, job.key)

    return apply


@effect("bidding.acknowledge_withdrawal", slow=True)
def acknowledge_withdrawal(job: Job) -> Apply:
    """Print the receipt of a withdrawal and write to the organisation."""
    bid = _bid(job)
    held = next(held for held in receipts.of_bid(bid) if held.event.pk == job.event_id)
    pdf = _receipt(held)

    def apply() -> None:
        stored = store(pdf, name=f"{held.number}.pdf", allowed={"pdf"}, max_bytes=RECEIPT_BYTES)
        WithdrawalReceipt.objects.get_or_create(event_uid=held.event.uid, defaults={"bid": bid, "pdf": stored})
        write_to(bid, "withdrawn", job.key, {"number": held.number, "at": beijing(held.event.at)})

    return apply


def receipt_number(version: receipts.Version) -> str:
    """回执编号: the bid's number and the version."""
    return f"{receipts.said(version)['bid']}-H{version.number}"


def _receipt(held: receipts.Held) -> bytes:
    """The printed receipt, with the signed file inside it (PDF/A-3: whoever has the paper's file has the evidence)."""
    day = held.event.at.astimezone(clock.TZ).date()
    identifier = f"receipt:{held.version.bid_id}:{held.number}"
    inside = {f"{held.number}.receipt.json": receipts.signed(held)}
    return render_pdf("documents/receipt.html", receipt_context(held), identifier=identifier, issued_on=day, attachments=inside)


def receipt_context(held: receipts.Held) -> dict[str, Any]:
    """What `documents/receipt.html` asks for, from the frozen version, the ledger's entry and the call."""
    from grants.calls.rulebook.deadline import policy  # noqa: PLC0415 - pydantic is slow to import

    version = held.version
    said, call = receipts.said(version), version.bid.call
    return {
        "number": held.number,
        "withdrawn_at": held.event.at if held.withdrawn else None,
        "call": said["call_title"],
        "call_number": said["call"],
        "organisation": said["organisation"],
        "project": said["project"],
        "amount": Decimal(said["grant"]) if said["grant"] else None,
        "sealed": said.get("sealed", ""),
        "program": receipts.about(held).get("program", ""),
        "submitted_at": version.submitted_at,
        "closes_at": call.closes_at,
        "submitted_by": str(version.submitted_by),
        **_contents(version),
        "seal_sha256": version.hash,
        "leaf": leaf_hash_of(held.event),
        "event_id": str(held.event.uid),
        "key": str(keys.receipt_verifier()),
        "qr": qr_code(receipts.address(held), label="查验回执"),
        "issuer": call.agency.name,
        "next_steps": _next_steps(call),
        "policy": policy(call.rules, call.closes_at).lines(),
        "digest": version.hash,
    }


def _contents(version: receipts.Version) -> dict[str, Any]:
    if isinstance(version, SealedVersion):
        files = [(f"{row['name']}（密封）", row["size"], row["sha256"]) for row in version.told["files"]]
        return {"rules_version": version.bid.rules_version.number, "files": files}
    content = version.content
    files = [(f"{a['name']}（声明后补）" if a.get("follows") else a["name"], a["size"], a["sha256"]) for a in content["attachments"]]
    return {"rules_version": content["rules"]["number"], "files": files}


def _next_steps(call: Call) -> list[str]:
    closes = beijing(call.closes_at)
    return [
        f"截止时间 {closes} 之前可以撤回或替换，以最后一次提交的版本为准。",
        "截止后进行资格审查；如需补正，系统会发出通知并写明期限，补正机会只有一次。",
        f"评审预计于 {call.rules.timetable.review_by.isoformat()} 前完成，结果在公示后通知。",
    ]


def beijing(moment: datetime | None) -> str:
    """A moment as letters say it."""
    return "" if moment is None else moment.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M:%S")


def _keep_receipt(version: receipts.Version, pdf: bytes, key: str) -> None:
    rows: Any = type(version).objects
    held = rows.select_for_update(of=("self",)).select_related("bid__organisation", "bid__call__agency").get(pk=version.pk)
    if held.receipt_id is not None:
        return
    held.receipt = store(pdf, name=f"{receipt_number(held)}.pdf", allowed={"pdf"}, max_bytes=RECEIPT_BYTES)
    held.receipt_number = receipt_number(held)
    held.save(update_fields=["receipt", "receipt_number"])
    context = {"bid": held.bid, "version": held, "content": _worded(held), "submitted_at": beijing(held.submitted_at)}
    write_to(held.bid, "receipt", f"{key}/{held.number}", context)


def _worded(version: receipts.Version) -> dict[str, Any]:
    """What the letter repeats, in the shape of a frozen version: officers may have reworded the letter."""
    if not isinstance(version, SealedVersion):
        return version.content
    said = receipts.said(version)
    return {"title": said["project"], "number": said["bid"], "organisation": {"name": said["organisation"]}}


@effect("bidding.ask_to_sign")
def ask_to_sign(job: Job) -> None:
    """Tell the signatories that a bid waits for their signature, and who asks; nobody is written to about what they asked themselves."""
    bid = _bid(job)
    readers = [user for user in signatories(bid.organisation) if user.pk != bid.sign_asked_by_id]
    context = {"bid": bid, "asked_by": bid.sign_asked_by, "closes": beijing(bid.call.closes_at)}
    link = reverse("bidding:check", args=[bid.pk])
    send_all(to=readers, template="bidding/ask_to_sign", context=context, key=job.key, link=link)


@effect("bidding.send_back")
def send_back(job: Job) -> None:
    """Tell the writers what the signatory wants changed."""
    write_to(_bid(job), "sent_back", job.key)


@effect("bidding.ask_for_correction")
def ask_for_correction(job: Job) -> None:
    """Tell the organisation what to correct and until when."""
    bid = _bid(job)
    write_to(bid, "correction", job.key, {"due": beijing(bid.correction_due_at)})


@effect("bidding.tell_admitted")
def tell_admitted(job: Job) -> None:
    """Tell the organisation that its bid goes to review."""
    write_to(_bid(job), "admitted", job.key)


@effect("bidding.tell_rejected")
def tell_rejected(job: Job) -> None:
    """Tell the organisation that its bid is not admitted, on which grounds, and where to object."""
    bid = _bid(job)
    write_to(bid, "rejected", job.key, {"grounds": grounds_of(bid), "contact": bid.call.agency.contact})


def grounds_of(bid: Bid) -> str:
    """The reason written when the bid was refused; empty when it was not, or when the payload was erased."""
    told = [e for e in ledger.history(bid.subject) if e.verb == "reject"]
    return str((told[-1].private or {}).get("note", "")) if told else ""


@effect("bidding.settle")
def settle(job: Job) -> None:
    """When a call closes: changes that nobody submitted are dropped, so that what is read later is what was handed in."""
    call = Call.objects.get(pk=job.object_id)
    for bid in handed_in_of(call).select_related(*Bid.door_select):
        if bid.corrections == 0 and bid.has_unsent_changes:
            perform(bid, "settle", by=SYSTEM)


def handed_in_of(call: Call) -> Any:
    """Bids of a call whose last version counts, by number."""
    return Bid.objects.filter(call=call, state__in=("submitted", "returned", "admitted", "rejected")).order_by("number")


@effect("bidding.tell_addendum")
def tell_addendum(job: Job) -> None:
    """Tell everybody who is writing a bid that the rules changed and must be confirmed."""
    _write_to_all(job, "addendum", ("draft", "submitted", "withdrawn"))


@effect("bidding.tell_extension")
def tell_extension(job: Job) -> None:
    """Tell everybody who is writing a bid that the deadline moved later."""
    _write_to_all(job, "extension", ("draft", "submitted", "withdrawn"))


@effect("bidding.tell_cancellation")
def tell_cancellation(job: Job) -> None:
    """Tell everybody who wrote a bid that the call was ended."""
    _write_to_all(job, "cancellation", ("draft", "submitted", "withdrawn", "returned", "admitted"))


def _write_to_all(job: Job, template: str, states: tuple[str, ...]) -> None:
    call = Call.objects.select_related("agency").get(pk=job.object_id)
    for bid in Bid.objects.filter(call=call, state__in=states).select_related(*Bid.door_select):
        write_to(bid, template, f"{job.key}/{bid.pk}", {"closes": beijing(call.closes_at)})


def _bid(job: Job) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=job.object_id)


def write_to(bid: Bid, template: str, key: str, context: dict[str, Any] | None = None, *, page: str = "bidding:tasks") -> None:
    """One letter to each person who writes or signs for the organisation, once per key. page: where its link leads."""
    people: set[User] = set(holders("write_bids", bid.organisation)) | set(holders("sign_for", bid.organisation))
    link = reverse(page, args=[bid.pk])
    send_all(to=sorted(people, key=lambda u: str(u.pk)), template=f"bidding/{template}", context={"bid": bid, **(context or {})},
             key=key, link=link)  # fmt: skip
