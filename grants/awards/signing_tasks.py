"""Effects of electronic signing: the signature itself, made off the request path, and the letter when it could not be made."""

from __future__ import annotations

from functools import partial

from django.urls import reverse

from grants.awards import esigning
from grants.awards.models import Contract
from grants.documents.files import store
from grants.documents.signing import authority
from grants.documents.signing.keys import CannotSign
from grants.notifications.services import send_all
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import Apply, Job, effect

PAPER_BYTES = 20 * 1024 * 1024
WAITS_IN = {"executor": "issued", "grantee": "issued", "grantor": "grantee_signed"}


@effect("awards.sign_electronically", slow=True)
def sign_electronically(job: Job) -> Apply | None:
    """在协议上加电子签名（慢：渲染签章、时间戳、核验）"""
    from grants.documents.signing import pades  # noqa: PLC0415 - pyHanko costs half a second, which only a worker that signs pays

    contract = Contract.objects.select_related(*Contract.door_select, "signed").get(pk=job.object_id)
    party = contract.asked_party
    if contract.state != WAITS_IN.get(party):  # ended, sent back, or already done
        return None
    try:
        authority.refresh()
        signed = pades.sign(esigning.base(contract), esigning.PARTIES[party].field, esigning.signatory(contract, party))
    except CannotSign as refused:
        return partial(_drop, contract, str(refused))
    checked = esigning.check(contract, party, signed)
    return partial(_keep, contract, party, signed, checked)


def _keep(contract: Contract, party: str, signed: bytes, checked: esigning.Checked) -> None:
    if checked.why_not:
        _drop(contract, checked.why_not)
    elif _still_waits(contract):
        stored = store(signed, name="contract.pdf", allowed={"pdf"}, max_bytes=PAPER_BYTES)
        perform(contract, f"complete_{party}", by=SYSTEM, signed=stored, checked=checked)


def _drop(contract: Contract, why: str) -> None:
    if _still_waits(contract):
        perform(contract, "drop_signature", by=SYSTEM, note=why, why=why)


def _still_waits(contract: Contract) -> bool:
    """Whether the very request that was read is still open: a contract may have been ended or sent back meanwhile."""
    asked = {"pk": contract.pk, "state": contract.state, "asked_party": contract.asked_party, "asked_at": contract.asked_at}
    return Contract.objects.filter(**asked).exists()


@effect("awards.tell_signing_failed")
def tell_signing_failed(job: Job) -> None:
    """通知申请电子签署的人：没有完成，原因见经过"""
    contract = Contract.objects.select_related(*Contract.door_select, "asked_by").get(pk=job.object_id)
    if contract.asked_by is not None:
        link = reverse("desk:object", args=["contract", contract.pk])
        send_all(to=[contract.asked_by], template="awards/signing_failed", context={"contract": contract}, key=job.key, link=link)
