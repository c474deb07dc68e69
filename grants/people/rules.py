"""Who may, in words of the field. Every stage's `by` rules are made of these."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import permissions_of, role_behind, scopes_held, scopes_with
from grants.people.roles import BY_CODE, ROLES, holders_of, name_of
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule

APART = _("系统、安全和审计管理员的账号不参与任何业务；请使用本人的普通账号，或由别人办理。")


def apart(actor: Any) -> bool:
    """Whether this account stands outside all business: one of the three administrators, or a superuser of the framework."""
    return bool(getattr(actor, "administers", "") or getattr(actor, "is_superuser", False))


def may(permission: str, *, on: str = "") -> Rule:
    """Whoever holds `permission` on one of the object's scopes.

    on: the attribute that leads to the scope ("agency", "call", "organisation", "sponsor"); by default every scope type on
    which a role carries the permission. The scope object is asked, never a global grant.
    """
    codes = holders_of(permission)
    if not codes:
        raise LookupError(f"no role carries {permission}")
    paths = (on,) if on else tuple(dict.fromkeys(role.scope for role in ROLES if role.code in codes))  # in one order everywhere
    if on in {"agency", "call"}:
        codes = frozenset(c for c in codes if BY_CODE[c].scope == on)

    def test(ask: Ask) -> Answer:
        return _held_on(ask, permission, paths)

    return Rule(name=f"may_{permission}", says=_Names(codes), test=test, roles=codes)


def _held_on(ask: Ask, permission: str, paths: tuple[str, ...]) -> Answer:
    for path in paths:
        scope = ask.obj if ask.obj._meta.model_name == path else getattr(ask.obj, path, None)
        if scope is not None and permission in permissions_of(ask.actor, scope):
            return Answer(True, rule=f"may_{permission}", role=role_behind(ask.actor, scope, permission))
    who = _Names(holders_of(permission))
    sentence = _("这一步由%(who)s办理；您没有这个角色。如需办理，请联系本单位管理员任命。") % {"who": who}
    return Answer(False, sentence, f"may_{permission}")


class _Names:
    """Role names joined by 、 when printed, so that they speak the reader's language."""

    def __init__(self, codes: frozenset[str]) -> None:
        self.codes = [role.code for role in ROLES if role.code in codes]

    def __str__(self) -> str:
        return "、".join(name_of(code) for code in self.codes)


def not_same_as(attribute: str, says: Any, refusal: Any) -> Rule:
    """Separation of duty: the actor is not the person in `obj.<attribute>` (a user FK). Holds for everybody, superusers too."""

    def test(ask: Ask) -> bool:
        other = getattr(ask.obj, f"{attribute}_id")
        return other is None or other != getattr(ask.actor, "pk", None)

    return Rule(name=f"not_{attribute}", says=says, test=test, refusal=refusal)


def is_the(attribute: str, role: str, says: Any, refusal: Any) -> Rule:
    """The actor is the very person in `obj.<attribute>` (an expert's own ballot, an evaluator's own sheet)."""

    def test(ask: Ask) -> Answer:
        if apart(ask.actor):
            return Answer(False, APART, "administrators_apart")
        who: Any = ask.obj
        for part in attribute.split("__"):
            who = getattr(who, part, None)
        ok = who is not None and who == ask.actor
        return Answer(ok, refusal, f"is_{attribute}", role if ok else "")

    return Rule(name=f"is_{attribute}", says=says, test=test, refusal=refusal, roles=frozenset({role}))


@rule(_("任何登录用户"), _("请先登录。"), roles=frozenset({"self"}))
def anybody_signed_in(ask: Ask) -> Answer:
    """A person with an active account; the role recorded is 本人. The three administrators act in nothing (design §5)."""
    if apart(ask.actor):
        return Answer(False, APART, "administrators_apart")
    return Answer(getattr(ask.actor, "pk", None) is not None, _("请先登录。"), "anybody_signed_in", "self")


not_the_account_setter = not_same_as(
    "account_set_by", _("不是账户填写人"), _("收款账户由您填写，须由另一位财务人员核验（填写与核验分离）。")
)


@rule(_("登记信息齐全"))
def is_identified(ask: Ask) -> object:
    """A legal person needs its credit code; a recorded group its 备案 number (GB 32100-2015; domain §3.4)."""
    org = ask.obj
    if org.is_legal_person and not org.uscc:
        return _("请填写统一社会信用代码：法人单位核验前必须填写。")
    if not org.is_legal_person and not (org.record_no or org.uscc):
        return _("请填写备案号，或由居委会出具说明后填写说明编号。")
    return True


@rule(_("信用代码校验相符，或已上传证书"))
def code_is_settled(ask: Ask) -> object:
    """A code whose check character fails is only verified against the certificate itself, never on trust."""
    org = ask.obj
    if org.uscc_disputed and org.certificate_id is None:
        return _("信用代码校验位不符，单位声明与证书一致；请先请单位上传登记证书，核对后写明依据再通过。")
    return True


@rule(
    _("可以有自己的收款账户"),
    _("备案组织和居民团队没有法人资格，不能登记自己的收款账户；请与枢纽组织签订托管协议，由托管组织收款。"),
)
def may_hold_account(ask: Ask) -> bool:
    """A body without legal personality is paid through its sponsor (domain §1, §3.4)."""
    return bool(ask.obj.is_legal_person)


@rule(_("已填写收款账户"), _("还没有填写收款账户，请申报单位先填写。"))
def account_is_given(ask: Ask) -> bool:
    return bool(ask.obj.account_number)


def _organisation_visible(actor: Any) -> Q:
    from grants.people.models import Agency, Organisation  # noqa: PLC0415 - the models carry this rule

    own = scopes_held(actor, Organisation, "pk")
    partner = Q(sponsored_by__sponsor__in=_own_ids(actor)) | Q(sponsors__group__in=_own_ids(actor))
    return own | partner | scopes_with(actor, "read_calls", Agency, "registrar")


def _own_ids(actor: Any) -> Any:
    from grants.people.models import OrganisationPermission  # noqa: PLC0415 - as above

    user: Any = getattr(actor, "pk", None)
    return OrganisationPermission.objects.filter(user_id=user).values("content_object_id")


organisation_visible: Rule = row_rule(
    "organisation_visible",
    _("本单位、其托管或被托管单位、登记机关人员"),
    _organisation_visible,
    _("只有本单位、其托管关系中的单位和登记机关的人员可以查看。"),
)


def _in_the_other_role(ask: Ask) -> bool:
    from grants.people.models import Site  # noqa: PLC0415 - the models carry these rules

    held = permissions_of(ask.actor, Site())
    kinds = {"security_admin"} if "appoint_staff" in held else {"system_admin"} if "keep_accounts" in held else set()
    return bool(kinds - {ask.obj.asked_as}) and ask.obj.asked_by_id != ask.actor.pk


another_administrator = Rule(
    name="another_administrator",
    says=_("与提出人不同类的管理员"),
    test=_in_the_other_role,
    refusal=_("这件事须由两类管理员各一人办理：系统管理员提出的由安全管理员复核，安全管理员提出的由系统管理员复核。"),
)


@rule(_("不是本人的事项"), _("不能办理自己的账号事项；请由另外两位管理员办理，或由运维人员在服务器上用 manage.py administrators 办理。"))
def not_about_oneself(ask: Ask) -> bool:
    return bool(ask.obj.person_id != ask.actor.pk)


@rule(_("申请删除本人的个人信息"), _("账号事项由管理员提出；本人只能申请删除自己的个人信息，在“我的个人信息”页办理。"))
def about_oneself(ask: Ask) -> bool:
    """个人信息保护法 §47: the one account request that its person makes."""
    return ask.obj.what == "erase" and getattr(ask.actor, "pk", None) is not None and ask.obj.person_id == ask.actor.pk == ask.obj.asked_by_id


@rule(_("由提出人撤回"), _("只有提出人可以撤回；您可以选择“不同意”。"))
def only_the_asker(ask: Ask) -> bool:
    return bool(ask.obj.asked_by_id == ask.actor.pk)


@rule(_("账号现状允许"))
def still_possible(ask: Ask) -> object:
    """What `account_acts.obstacle` says: the person is active, vouched for, holds or does not hold the role…"""
    from grants.people.account_acts import obstacle  # noqa: PLC0415 - the acts need the models, which carry these rules

    return obstacle(ask.obj) or True


def _request_visible(actor: Any) -> Q:
    from grants.people.models import Site  # noqa: PLC0415 - as above

    own = Q(what="erase", asked_by_id=actor.pk, person_id=actor.pk) if getattr(actor, "pk", None) is not None else Q(pk__in=[])
    return scopes_held(actor, Site, "site") | own


request_visible: Rule = row_rule(
    "request_visible", _("三类管理员；申请删除个人信息的本人"), _request_visible, _("账号事项只供系统、安全和审计管理员查看。")
)
