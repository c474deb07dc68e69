"""Who may sign a contract electronically, and when."""

from __future__ import annotations

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from grants.people.rules import may
from grants.workflow.rules import Ask, Rule, rule

executor = may("sign_for", on="executing_team")


@rule(_("没有正在生成的电子签名"), _("一方的电子签名正在生成，一般一分钟内完成；请稍候刷新，或等它未完成时再改用纸质签署。"))
def nothing_pending(ask: Ask) -> bool:
    return not ask.obj.asked_party


@rule(_("电子签名正在生成"), _("现在没有正在生成的电子签名，不需要撤回。"))
def signature_pending(ask: Ask) -> bool:
    return bool(ask.obj.asked_party)


@rule(_("各方可以电子签署"))
def can_sign_electronically(ask: Ask) -> object:
    """A text with fields, no signature in the making, and a usable certificate for every party: nobody signs in vain."""
    from grants.awards.esigning import why_not  # noqa: PLC0415 - reads the models, which are made of these rules

    found = why_not(ask.obj)
    return True if found is None else found


@rule(_("丙方已电子签署（三方协议）"), _("这是三方协议，请先由执行团队（丙方）电子签署；或者各方都在纸上签署。"))
def executor_has_signed(ask: Ask) -> bool:
    return ask.obj.sponsor is None or "executor" in ask.obj.signed_by


@rule(_("乙方是电子签署的"), _("乙方是在纸上签署的，请同样打印、盖章、扫描上传。"))
def grantee_signed_electronically(ask: Ask) -> bool:
    return "grantee" in ask.obj.signed_by


@rule(_("乙方是在纸上签署的"), _("乙方是电子签署的，纸上只盖甲方的章不能与之成为一份协议：请电子签署，或退回乙方改用纸质签署。"))
def signed_on_paper(ask: Ask) -> bool:
    return "grantee" not in ask.obj.signed_by and not ask.obj.asked_party


@rule(_("刚刚再次验证过身份"), _("代表单位签署前须再次验证身份：验证后五分钟内有效，请重新验证。"), typed=True)
def freshly_authenticated(ask: Ask) -> bool:
    proof = ask.details.get("authenticated")
    return proof is not None and proof.is_fresh


@rule(_("续加的时间戳核验通过"), typed=True)
def renewal_is_good(ask: Ask) -> object:
    """Judged outside the transaction: that verdict must be of this file, everything in it must hold, and longer than before."""
    signed, checked, contract = ask.details.get("signed"), ask.details.get("checked"), ask.obj
    if signed is None or checked is None or checked.sha256 != signed.sha256 or checked.text_hash != contract.text_hash:
        return _t("没有这份文件的核验结果。")
    if checked.why_not:
        return checked.why_not
    longer = contract.provable_until is not None and checked.until is not None and checked.until > contract.provable_until
    return True if longer else _t("新的时间戳并不比原有的更久。")


def signature_of(party: str) -> Rule:
    """Judged outside the transaction (half a second of a core); here it is asked whether that verdict is of this file, contract and party."""

    def test(ask: Ask) -> object:
        signed, checked, contract = ask.details.get("signed"), ask.details.get("checked"), ask.obj
        if signed is None or checked is None or checked.sha256 != signed.sha256:
            return _t("没有这份文件的核验结果。")
        if not party == checked.party == contract.asked_party or checked.text_hash != contract.text_hash:
            return _t("核验的不是这份协议正在等待的签名。")
        return True if not checked.why_not else checked.why_not

    return Rule(name="signature_is_good", says=_("签名核验通过"), test=test, typed=True)
