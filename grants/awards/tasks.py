"""What follows a step of an award, an objection or a contract: letters, printed papers, and the steps the clock takes by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from grants.awards.checking import check
from grants.awards.checking import keep as keep_check
from grants.awards.contract_reader import restore
from grants.awards.feedback import objecting
from grants.awards.models import Award, Contract, Decision, Objection, PublicNotice, SelectionCheck
from grants.awards.notice_body import printed
from grants.awards.objecting import free
from grants.awards.services.releasing import LETTER, letter_facts
from grants.calls.models import Call
from grants.clock import TZ
from grants.documents.contract import render_contract
from grants.documents.files import store
from grants.documents.pdf import render_pdf
from grants.notifications.services import send, send_all
from grants.people.models import Organisation, User
from grants.people.services import holders
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import Apply, Job, effect
from review.models import Panel

PAPER_BYTES = 20 * 1024 * 1024


@effect("awards.print_contract", slow=True)
def print_contract(job: Job) -> Apply:
    """生成协议文本 PDF"""
    contract = Contract.objects.get(pk=job.object_id)
    data = restore(contract.data)
    pdf = render_contract(data, identifier=f"{contract.subject}:{contract.text_hash[:16]}")

    def apply() -> None:
        waiting = Contract.objects.filter(pk=contract.pk, file=None, text_hash=data.digest)
        if waiting.exists():
            waiting.update(file=store(pdf, name="contract.pdf", allowed={"pdf"}, max_bytes=PAPER_BYTES))

    return apply


@effect("awards.print_notice", slow=True)
def print_notice(job: Job) -> Apply | None:
    """生成公示 PDF（同一公示只印一次）"""
    notice = Award.objects.select_related("notice").get(pk=job.object_id).notice
    if notice is None or notice.file_id is not None:
        return None
    day = notice.published_at.astimezone(TZ).date()
    pdf = render_pdf("documents/notice.html", printed(notice), identifier=f"notice:{notice.number}", issued_on=day)

    def apply() -> None:
        waiting = PublicNotice.objects.filter(pk=notice.pk, file=None)
        if waiting.exists():
            waiting.update(file=store(pdf, name="notice.pdf", allowed={"pdf"}, max_bytes=PAPER_BYTES))

    return apply


@effect("awards.activate")
def activate(job: Job) -> None:
    """协议生效，项目开始执行"""
    award = Contract.objects.select_related("award").get(pk=job.object_id).award
    if award.state == "confirmed":
        perform(award, "activate", by=SYSTEM)


@effect("awards.resume")
def resume(job: Job) -> None:
    """异议办结，恢复公示"""
    objection = Objection.objects.get(pk=job.object_id)
    for award in free(objection):
        perform(award, "resume", by=SYSTEM)


@effect("awards.end_contract")
def end_contract(job: Job) -> None:
    """立项取消，未生效的协议一并解除"""
    for contract in Contract.objects.filter(award_id=job.object_id, state__in=("draft", "issued", "grantee_signed")):
        perform(contract, "end", by=SYSTEM, note="立项已取消，协议不再签署。")


@effect("awards.tell_confirmed")
def tell_confirmed(job: Job) -> None:
    """通知申报单位：已立项"""
    _tell_grantee(job, "confirmed")


@effect("awards.tell_reduced")
def tell_reduced(job: Job) -> None:
    """通知申报单位：核定金额有变化，请确认"""
    award = _award(job)
    if award.notice_id is not None:
        _write(award, "reduced", job.key)


@effect("awards.tell_cancelled")
def tell_cancelled(job: Job) -> None:
    """通知申报单位：立项取消"""
    award = _award(job)
    if award.notice_id is not None:  # nobody outside knew of it before its notice
        _write(award, "cancelled", job.key)


@effect("awards.tell_terminated")
def tell_terminated(job: Job) -> None:
    """通知申报单位：项目终止"""
    _tell_grantee(job, "terminated")


@effect("awards.tell_closed")
def tell_closed(job: Job) -> None:
    """通知申报单位：项目结项"""
    _tell_grantee(job, "closed")


@effect("awards.tell_decision")
def tell_decision(job: Job) -> None:
    """决定发布后，逐一告知申报单位：拟立项或未立项、得分和理由"""
    related = ("bid__organisation", "bid__sponsor", "bid__award", "call__agency")
    decision = Decision.objects.select_related(*related).get(bid_id=job.object_id)
    link = reverse("awards:feedback", args=[decision.bid_id])
    people = _people(decision.bid.organisation, decision.bid.sponsor)
    send_all(to=people, template=LETTER, context=letter_facts(decision), key=job.key, link=link)


@effect("awards.tell_notice")
def tell_notice(job: Job) -> None:
    """公示发布后，逐一告知已收到决定的申报单位：在哪里、到什么时候可以提出异议"""
    related = ("bid__organisation", "bid__sponsor", "bid__award", "call__agency", "call__rules_version")
    decision = Decision.objects.select_related(*related).get(bid_id=job.object_id)
    link = reverse("awards:feedback", args=[decision.bid_id])
    context = {"bid": decision.bid, "call": decision.call, "objecting": objecting(decision.call)}
    send_all(to=_people(decision.bid.organisation, decision.bid.sponsor), template="awards/notice_open", context=context, key=job.key, link=link)


@effect("awards.tell_results")
def tell_results(job: Job) -> None:
    """完成立项后，告知申报单位最后结果；发布决定时已经知道未立项的，不再重复"""
    call = Call.objects.select_related("agency").get(pk=job.object_id)
    rows = Decision.objects.filter(call=call).exclude(awarded=False, released_at__isnull=False)
    rows = rows.select_related("bid__organisation", "bid__sponsor", "bid__award")
    for decision in rows.order_by("pk"):
        people = _people(decision.bid.organisation)
        link = reverse("desk:object", args=["bid", decision.bid_id])
        context = {"decision": decision, "bid": decision.bid, "call": call}
        send_all(to=people, template="awards/result", context=context, key=f"{job.key}/{decision.pk}", link=link)


@effect("awards.tell_objection_filed")
def tell_objection_filed(job: Job) -> None:
    """通知主办方经办：收到异议"""
    objection = _objection(job)
    link = reverse("desk:object", args=["objection", objection.pk])
    to = holders("handle_objections", objection.call.agency)
    send_all(to=to, template="awards/objection_filed", context={"objection": objection}, key=job.key, link=link)


@effect("awards.tell_objection_accepted")
def tell_objection_accepted(job: Job) -> None:
    """通知异议人：已受理及答复期限；通知有权决定的人"""
    objection = _objection(job)
    link = reverse("desk:object", args=["objection", objection.pk])
    _tell_objector(objection, "objection_accepted", job.key, link)
    to = holders("decide_objections", objection.call.agency)
    send_all(to=to, template="awards/objection_to_decide", context={"objection": objection}, key=f"{job.key}/decide", link=link)


@effect("awards.tell_objection_decided")
def tell_objection_decided(job: Job) -> None:
    """书面答复异议人（未登录的异议人由经办按所留联系方式送达）"""
    objection = _objection(job)
    _tell_objector(objection, "objection_decided", job.key, reverse("desk:object", args=["objection", objection.pk]))


@effect("awards.tell_contract_ready")
def tell_contract_ready(job: Job) -> None:
    """通知签约单位：协议已发出，请打印、签字盖章、扫描上传"""
    _tell_signers(job, "contract_ready")


@effect("awards.tell_sign_again")
def tell_sign_again(job: Job) -> None:
    """通知签约单位：扫描件退回，请重新签署上传"""
    _tell_signers(job, "sign_again")


@effect("awards.tell_contract_effective")
def tell_contract_effective(job: Job) -> None:
    """通知各方：协议生效"""
    _tell_signers(job, "contract_effective")


def _award(job: Job) -> Award:
    return Award.objects.select_related(*Award.door_select).get(pk=job.object_id)


def _objection(job: Job) -> Objection:
    return Objection.objects.select_related("call__agency", "notice", "award__bid", "filed_by").get(pk=job.object_id)


def _people(*bodies: Organisation | None) -> list[User]:
    """Who signs or writes for these bodies, each once."""
    found = {u for body in bodies if body is not None for p in ("sign_for", "write_bids") for u in holders(p, body)}
    return sorted(found, key=lambda user: str(user.pk))


def _tell_grantee(job: Job, template: str) -> None:
    _write(_award(job), template, job.key)


def _write(award: Award, template: str, key: str) -> None:
    link = reverse("desk:object", args=["award", award.pk])
    _send_all(_people(award.organisation, award.sponsor), template, {"award": award, "call": award.call}, key, link)


def _tell_signers(job: Job, template: str) -> None:
    contract = Contract.objects.select_related(*Contract.door_select).get(pk=job.object_id)
    link = reverse("desk:object", args=["contract", contract.pk])
    to = _people(contract.organisation, contract.sponsor)
    _send_all(to, template, {"contract": contract, "award": contract.award, "call": contract.call}, job.key, link)


def _send_all(to: Iterable[User], template: str, context: dict[str, Any], key: str, link: str) -> None:
    send_all(to=to, template=f"awards/{template}", context=context, key=key, link=link)


def _tell_objector(objection: Objection, template: str, key: str, link: str) -> None:
    if objection.filed_by is not None:
        send(to=objection.filed_by, template=f"awards/{template}", context={"objection": objection}, key=key, link=link)


@effect("awards.optimum", slow=True)
def prove_optimum(job: Job) -> Apply:
    """对照可证明的最优解（只作参考，不改变立项建议）"""
    panel = Panel.objects.select_related("call").get(pk=job.object_id)
    found = check(SelectionCheck.objects.get(panel=panel))

    def apply() -> None:
        keep_check(panel, found)

    return apply
