"""On which facts awards, objections and contracts move, and who may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import scopes_with
from grants.people.rules import is_the, may, not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule, the_clock

preparer = may("prepare_awards")
confirmer = may("confirm_awards")
resumer = may("decide_objections") | the_clock
ending_signer = may("sign_contracts") | the_clock
not_the_preparer = not_same_as("prepared_by", _("不是拟定人"), _("这项立项由您拟定，须由另一位负责人批准（拟定与批准分离）。"))
not_the_contract_drafter = not_same_as("drafted_by", _("不是协议经办人"), _("协议由您经办，须由另一位负责人签署。"))
not_the_handler = not_same_as("handled_by", _("不是受理人"), _("这件异议由您受理，须由另一位负责人作出决定。"))
grantee = may("sign_for", on="signing_party")
budget_agreer = may("sign_for", on="organisation") | grantee
the_objector = is_the("filed_by", "self", _("异议人本人"), _("只有提出异议的人可以撤回。"))


@rule(_("金额在资金盘、领域额度和上限之内"))
def within_limits(ask: Ask) -> object:
    """Asked with every other live award of the call; a new one is counted under the call's row lock, so that two pens cannot overspend."""
    from grants.awards.limits import breach  # noqa: PLC0415 - models import this module through the machine

    found = breach(ask.obj)
    return True if found is None else found


@rule(_("公示期和异议期已满"))
def notice_is_over(ask: Ask) -> object:
    notice = ask.obj.notice
    if notice is None:
        return _("还没有公示。")
    if ask.now < notice.ends_at:
        return _("公示期还没有满，最后一天是 %(day)s。") % {"day": notice.last_day}
    if ask.now < notice.objections_end:
        return _("异议期还没有满，满期后才能确认立项。")
    return True


@rule(_("没有未办结的异议"))
def no_open_objection(ask: Ask) -> object:
    """Named objections to this award or to its whole notice; anonymous papers are leads and stop nothing (domain §2.2)."""
    from grants.awards.objecting import open_about  # noqa: PLC0415 - as above

    open_ones = open_about(ask.obj if hasattr(ask.obj, "bid_id") else ask.obj.award).count()
    return True if not open_ones else _("还有 %(n)d 件异议没有办结，办结前不能确认立项、签约或拨款。") % {"n": open_ones}


@rule(_("有未办结的异议"), _("没有未办结的具名异议，不需要暂停。"))
def has_open_objection(ask: Ask) -> bool:
    from grants.awards.objecting import open_about  # noqa: PLC0415 - as above

    return bool(open_about(ask.obj).exists())


@rule(_("已列入公示"), _("立项须与同一批项目一并公示：请到“立项与公示”页面发布公示。"))
def in_its_notice(ask: Ask) -> bool:
    """Only `publish_notice` hands the notice in, and only one that names this award."""
    notice = ask.details.get("notice")
    return notice is not None and any(row["number"] == ask.obj.number for row in notice.body["rows"])


@rule(_("资格复核合格"))
def still_eligible(ask: Ask) -> object:
    """Eligibility is asked again before contract and before every payment (domain §3.4)."""
    from grants.awards.rechecks import failures  # noqa: PLC0415 - as above

    found = failures(ask.obj.award if hasattr(ask.obj, "award_id") else ask.obj)
    return True if not found else _("资格复核不合格：%(what)s。请先整改或按规定取消资格。") % {"what": "；".join(map(str, found[:3]))}


@rule(_("核减方案双方同意"))
def reduction_agreed(ask: Ask) -> object:
    """Lines add up, every cut has a reason, the grantee agreed to what it will really get, and the text prints just that."""
    from grants.awards.negotiation import open_points  # noqa: PLC0415 - as above

    points = open_points(ask.obj)
    return True if not points else _("核减方案还没有谈妥：%(what)s") % {"what": "；".join(map(str, points[:3]))}


@rule(_("协议还没有发出"), _("协议已经发出，金额不能再改；如需变更，请先解除协议或在执行中申请变更。"))
def contract_not_issued(ask: Ask) -> bool:
    from grants.awards.models import Contract  # noqa: PLC0415 - as above

    return not Contract.objects.filter(award_id=ask.obj.pk).exclude(state="draft").exists()


@rule(_("立项已确认"))
def award_is_confirmed(ask: Ask) -> object:
    award = ask.obj.award
    if award.state == "confirmed":
        return True
    return _("立项现在是「%(now)s」，只有「已立项」时可以起草和签署协议。") % {"now": award.get_state_display()}


@rule(_("收款账户已核验"))
def account_is_verified(ask: Ask) -> object:
    """The contract locks the account, so it must be checked by finance first; a group is paid through its sponsor."""
    payee = ask.obj.signing_party
    if not payee.is_legal_person:
        return _("“%(name)s”没有法人资格，不能自己签约收款；请先签订托管协议并在申报中写明托管组织。") % {"name": payee}
    if not payee.has_verified_account:
        return _("“%(name)s”的收款账户还没有核验，请单位填写账户，并由财务核验。") % {"name": payee}
    return True


@rule(_("协议文本已生成"), _("协议文本还在生成，请稍候一分钟再试。"))
def text_is_ready(ask: Ask) -> bool:
    return ask.obj.file_id is not None


@rule(_("扫描件与本协议一致"), typed=True)
def scan_matches(ask: Ask) -> object:
    """The scan names this contract's number and text hash; another contract's scan is refused."""
    from grants.awards.signing import mismatch  # noqa: PLC0415 - as above

    found = mismatch(ask.obj, ask.details)
    return True if found is None else found


@rule(_("在异议期内"))
def objection_in_time(ask: Ask) -> object:
    if ask.now >= ask.obj.notice.objections_end:
        return _("异议期已经结束，不再受理异议；可向主办方的上级部门反映。")
    return True


@rule(_("异议人具名并有具体事实"))
def objection_is_named(ask: Ask) -> object:
    """Anonymous papers are leads, not objections: they stop no clock (domain §2.2, pitfall 21)."""
    o = ask.obj
    if not o.facts.strip():
        return _("没有具体事实和理由，不能受理。")
    if o.is_lead or not (o.objector_name.strip() and o.objector_contact.strip()):
        return _("匿名材料只作线索，不作为异议受理；请“不予受理”并写明处理意见。")
    if o.objector_kind == "unit" and o.file_id is None:
        return _("单位异议须附加盖公章的书面材料扫描件。")
    return True


@rule(_("有书面答复"), typed=True)
def has_reply(ask: Ask) -> object:
    return True if str(ask.details.get("reply", "")).strip() else _("请填写书面答复，异议人有权知道理由。")


@rule(_("全部立项已有结论"))
def every_award_decided(ask: Ask) -> object:
    """Handed up to `call.decide`: every bid in review has its decision, and no award still waits for approval, notice or objection."""
    from grants.awards.progress import undecided  # noqa: PLC0415 - as above

    left = undecided(ask.obj)
    return True if not left else _("还不能完成立项：%(what)s。") % {"what": "；".join(map(str, left))}


PUBLIC_STATES = ("noticed", "held", "confirmed", "active", "closed", "terminated")


def _award_visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415 - as above
    from grants.people.models import Agency, Organisation  # noqa: PLC0415 - as above

    told = Q(state__in=PUBLIC_STATES) | Q(state="cancelled", notice__isnull=False)
    own = scopes_with(actor, "see_bids", Organisation, "bid__organisation") & told
    host = scopes_with(actor, "sponsor", Organisation, "bid__sponsor") & told
    signer = scopes_with(actor, "sign_for", Organisation, "bid__sponsor") & told
    desk = scopes_with(actor, "read_calls", Agency, "call__agency") | scopes_with(actor, "supervise", Call, "call")
    return own | host | signer | desk


award_visible: Rule = row_rule("award_visible", _("主办方、审计；公示后的申报单位"), _award_visible, _("公示之前，立项方案不公开。"))


def _decision_visible(actor: Any) -> Q:
    from grants.calls.models import Call  # noqa: PLC0415 - as above
    from grants.people.models import Agency, Organisation  # noqa: PLC0415 - as above

    told = Q(released_at__isnull=False)
    own = scopes_with(actor, "see_bids", Organisation, "bid__organisation") & told
    host = scopes_with(actor, "sponsor", Organisation, "bid__sponsor") & told
    signer = scopes_with(actor, "sign_for", Organisation, "bid__sponsor") & told
    desk = scopes_with(actor, "read_calls", Agency, "call__agency") | scopes_with(actor, "supervise", Call, "call")
    return own | host | signer | desk


decision_visible: Rule = row_rule(
    "decision_visible", _("主办方、审计；决定发布后的申报单位"), _decision_visible, _("决定发布之前，只有主办方可以看到。")
)


def through_award(path: str) -> Any:
    """Visibility of everything that hangs on an award: whoever may see the award's contract side."""

    def where(actor: Any) -> Q:
        from grants.calls.models import Call  # noqa: PLC0415 - as above
        from grants.people.models import Agency, Organisation  # noqa: PLC0415 - as above

        own = scopes_with(actor, "see_bids", Organisation, f"{path}bid__organisation")
        host = scopes_with(actor, "sponsor", Organisation, f"{path}bid__sponsor")
        signer = scopes_with(actor, "sign_for", Organisation, f"{path}bid__sponsor")
        desk = scopes_with(actor, "read_calls", Agency, f"{path}call__agency") | scopes_with(
            actor, "supervise", Call, f"{path}call"
        )
        return own | host | signer | desk

    return where


def _contract_visible(actor: Any) -> Q:
    """The agency from the first draft; the parties once it is issued to them."""
    from grants.calls.models import Call  # noqa: PLC0415 - as above
    from grants.people.models import Agency  # noqa: PLC0415 - as above

    desk = scopes_with(actor, "read_calls", Agency, "award__call__agency") | scopes_with(actor, "supervise", Call, "award__call")
    return desk | (through_award("award__")(actor) & ~Q(issued_at=None))


contract_visible: Rule = row_rule("contract_visible", _("协议各方、主办方和审计"), _contract_visible, _("协议发出前只对主办方开放，发出后对签约各方开放。"))


objection_office: Rule = may("handle_objections") | may("decide_objections")
"""Who answers an objection, and so may be told by whom it is: with a reason, on record."""


def _objection_visible(actor: Any) -> Q:
    from grants.people.models import Agency  # noqa: PLC0415 - as above

    own = Q(filed_by_id=actor.pk) if getattr(actor, "pk", None) is not None else Q(pk__in=[])
    return own | scopes_with(actor, "read_calls", Agency, "call__agency")


objection_visible: Rule = row_rule("objection_visible", _("异议人本人、主办方和审计"), _objection_visible, _("异议材料不对外公开。"))
