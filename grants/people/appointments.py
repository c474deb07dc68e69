"""Who is given which role on which scope, by whom, and which roles one person may never hold together (design §5).

Separation of duty has two halves. Here: combinations no person may hold at all. In the machines: the same *item* is never
drafted and approved, requested and paid, by one person (`not_same_as`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock
from grants.people import security
from grants.people.journal import enter
from grants.people.models import Appointment, Organisation, Site, User
from grants.people.permissions import grant, permissions_of, revoke, role_behind, scope_model
from grants.people.roles import AGENCY, BY_CODE, CALL, ORGANISATION, SITE, Role
from grants.workflow.refusals import Invalid, NotNow, NotYou, Refusal
from grants.workflow.rules import SYSTEM

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    from grants.workflow.refusals import Sentence

SECURITY = "security_admin"
roles_changed = Signal()
"""Sent with `request` and `user` by a page on which people give themselves a role (registering), so that their menu can follow."""
NOT_VOUCHED = gettext_lazy("这个账号的身份还没有核对。请先由系统管理员在“账号”页面核对身份，再任命（开立与任命分离）。")

Clash = tuple[frozenset[str], frozenset[str], "Sentence"]
CLASHES: tuple[Clash, ...] = (
    (
        frozenset({"auditor"}),
        frozenset({"officer", "approver", "finance_officer", "operator", "observer"}),
        gettext_lazy("审计人员只读不写，不能兼任同一主办方的其他角色。"),
    ),
    (
        frozenset({"finance_officer"}),
        frozenset({"approver", "operator"}),
        gettext_lazy("付款与审批、承办分离：财务不能兼任同一主办方的负责人或承办人员。"),
    ),
    (
        frozenset({"operator"}),
        frozenset({"approver", "observer"}),
        gettext_lazy("承办人员不能审批或监督自己承办的征集。"),
    ),
    (
        frozenset({"observer"}),
        frozenset({"officer", "approver"}),
        gettext_lazy("监督人员不能兼任同一主办方的经办或负责人。"),
    ),
)
"""Pairs of roles that one person never holds within the same agency, its calls included."""

Guard = Callable[[User, Role, Any], "Sentence | None"]
_guards: list[Guard] = []


def forbid(guard: Guard) -> None:
    """A downstream stage adds its own reason why somebody may not take a role (an expert of a running panel)."""
    if guard not in _guards:
        _guards.append(guard)


def appoint(user: User, role: str, scope: Model, *, by: Any) -> Appointment:
    """Give `user` the role (a code of `roles.ROLES`) on `scope`; returns the appointment, the existing one if already held.

    Locks the user, so that two appointers cannot together give what neither could give alone. Writes one ledger entry.
    Raises NotYou (the appointer), Invalid (role and scope do not fit, roles clash, the account is not vouched for).
    """
    with transaction.atomic():
        standing = _appointer(scope, by)
        if by is not SYSTEM and by.pk == user.pk and scope._meta.model_name != ORGANISATION:
            raise NotYou(_("不能任命自己；请由另一位有任命权的人员办理。"), rule="not_oneself", verb="appoint")
        if by is not SYSTEM and scope._meta.model_name == AGENCY and user.vouched_at is None:
            raise Invalid(NOT_VOUCHED, rule="vouched", problems={"username": [str(NOT_VOUCHED)]}, verb="appoint")
        return give(user, role, scope, by=by, standing=standing)


def give(user: User, role: str, scope: Model, *, by: Any, standing: str) -> Appointment:
    """`appoint` without asking who appoints; for the founder of an organisation. Still refuses every clash."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        declared = _declared(role, scope)
        _refuse_clashes(person, declared, scope)
        held, is_new = Appointment.objects.get_or_create(
            user=person,
            role=declared.code,
            scope_kind=declared.scope,
            scope_id=scope.pk,
            until=None,
            defaults={
                "scope_name": str(scope)[:120],
                "appointed_by": by if isinstance(by, User) else None,
                "since": clock.now(),
            },
        )
        if is_new:
            grant(declared, person, scope)
            _administers(person, declared.code if declared.scope == SITE else "")
            said = {"role": declared.code, "person": str(person.pseudonym)}
            enter(f"{declared.scope}.appoint", scope, by=by, role=standing, public=said)
            security.note(security.Kind.APPOINTED, person=person, by=by, detail=declared.code)
    user.__dict__.pop("_held", None)
    user.administers = person.administers
    return held


def dismiss(appointment: Appointment, *, by: Any) -> Appointment:
    """End an appointment now; permissions that another appointment still carries stay. The last signatory stays.

    Raises NotYou, or NotNow when it has ended already or nobody could sign for the organisation any more.
    """
    with transaction.atomic():
        held = Appointment.objects.select_for_update().select_related("user").get(pk=appointment.pk)
        scope = scope_model(held.scope_kind)._base_manager.select_for_update().get(pk=held.scope_id)
        standing = _appointer(scope, by)
        return conclude(held, scope, by=by, standing=standing)


def conclude(held: Appointment, scope: Any, *, by: Any, standing: str) -> Appointment:
    """`dismiss` without asking who dismisses; inside the transaction that decided it."""
    with transaction.atomic():
        _refuse_ending(held)
        held.until = clock.now()
        held.save(update_fields=["until"])
        others = active(user=held.user, scope_kind=held.scope_kind, scope_id=held.scope_id)
        keep = frozenset(p for each in others for p in BY_CODE[each.role].permissions)
        revoke(BY_CODE[held.role], held.user, scope, keep=keep)
        said = {"role": held.role, "person": str(held.user.pseudonym)}
        enter(f"{held.scope_kind}.dismiss", scope, by=by, role=standing, public=said)
        if held.scope_kind == SITE:
            _administers(held.user, "")
        security.note(security.Kind.DISMISSED, person=held.user, by=by, detail=held.role)
    return held


def _administers(person: User, role: str) -> None:
    """Which of the three administrators this account is, on the account itself: asked by every who-rule without a query."""
    if person.administers != role:
        person.administers = role
        person.save(update_fields=["administers"])


def active(**which: Any) -> QuerySet[Appointment]:
    """Appointments that have not ended, narrowed by columns of Appointment."""
    return Appointment.objects.filter(until=None, **which)


def holders(permission: str, scope: Model) -> QuerySet[User]:
    """Active users who hold `permission` on `scope` — whom to write to when something waits for that role."""
    codes = [role.code for role in BY_CODE.values() if permission in role.permissions]
    held = active(role__in=codes, scope_kind=scope._meta.model_name, scope_id=scope.pk)
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).order_by("pk")


def may_appoint(scope: Model, by: Any) -> bool:
    """Whether `by` may appoint and dismiss on `scope` (for showing the page's buttons)."""
    try:
        return bool(_appointer(scope, by))
    except Refusal:
        return False


def _appointer(scope: Model, by: Any) -> str:
    """The standing in which `by` may appoint on `scope`. Raises NotYou.

    agency: the 安全管理员, who holds no business role and opens no account. call: the agency's approver. organisation: its
    signatory, or the 安全管理员 when nobody is left who could (people leave, accounts are lost). site: nobody alone.
    """
    if by is SYSTEM:
        return "system"
    kind = scope._meta.model_name
    if kind == SITE:
        raise NotYou(_("管理员由系统管理员和安全管理员共同任免，请提出账号事项。"), rule="by_two", verb="appoint")
    if kind in (AGENCY, ORGANISATION) and "appoint_staff" in permissions_of(by, Site()):
        return SECURITY
    if kind == CALL and "approve_calls" in permissions_of(by, scope.agency):  # type: ignore[attr-defined]
        return role_behind(by, scope.agency, "approve_calls")  # type: ignore[attr-defined]
    if kind == ORGANISATION and "sign_for" in permissions_of(by, scope):
        return role_behind(by, scope, "sign_for")
    sentence = _("任命须由有权的人办理：主办方人员由安全管理员任命，承办和监督人员由主办方负责人任命，申报单位人员由其签署人任命。")
    raise NotYou(sentence, rule="may_appoint", verb="appoint")


def _declared(role: str, scope: Model) -> Role:
    declared = BY_CODE.get(role)
    if declared is None or declared.scope != scope._meta.model_name:
        sentence = _("这个角色不能在「%(scope)s」上任命，请另选角色。") % {"scope": scope}
        raise Invalid(sentence, rule="role_fits_scope", problems={"role": [sentence]})
    return declared


def clash(user: User, role: Role, scope: Any) -> Sentence | None:
    """Why this person may not take the role, in a sentence, or None."""
    try:
        _refuse_clashes(user, role, scope)
    except Invalid as refusal:
        return str(refusal)
    return None


def _refuse_clashes(user: User, role: Role, scope: Any) -> None:
    if not user.is_active or user.is_superuser:
        raise _clash(_("停用的账号和框架的超级用户不能担任角色；请使用本人的普通账号。"), "business_account")
    held = list(active(user=user))
    _refuse_three_in_one(user, role, held)
    for a, b, sentence in CLASHES:
        others = b if role.code in a else a if role.code in b else frozenset()
        if any(each.role in others and _agency_of(each) == _agency(role, scope) for each in held):
            raise _clash(sentence, "separation_of_duty")
    sides = {BY_CODE[each.role].scope for each in held}
    if (role.scope == AGENCY and ORGANISATION in sides) or (role.scope == ORGANISATION and AGENCY in sides):
        raise _clash(_("主办方工作人员不能同时在申报单位任职。"), "two_sides")
    for guard in _guards:
        sentence = guard(user, role, scope)
        if sentence:
            raise _clash(sentence, "separation_of_duty")


def _refuse_three_in_one(user: User, role: Role, held: list[Appointment]) -> None:
    """Three administrators are three persons, and none of them acts in any call (design §5)."""
    if role.scope == SITE and any(each.role != role.code or each.scope_kind != SITE for each in held):
        raise _clash(_("三类管理员由三个人分别担任，且不参与任何业务：此人已有任职。"), "three_persons")
    if role.scope != SITE and user.administers:
        raise _clash(_("系统、安全和审计管理员不能担任任何业务角色。"), "three_persons")


def _clash(sentence: Sentence, rule: str) -> Invalid:
    way_out = _("%(why)s请先结束原有任职，或任命另一个人。") % {"why": sentence}
    return Invalid(way_out, rule=rule, problems={"user": [way_out]}, verb="appoint")


def _agency(role: Role, scope: Any) -> Any:
    return scope.agency.pk if role.scope == CALL else scope.pk


def _agency_of(held: Appointment) -> Any:
    if held.scope_kind != CALL:
        return held.scope_id
    return scope_model(CALL)._base_manager.values_list("agency_id", flat=True).get(pk=held.scope_id)


def _refuse_ending(held: Appointment) -> None:
    if held.until is not None:
        raise NotNow(_("这项任职已经结束。"), rule="still_held", verb="dismiss")
    if held.role == "signatory" and held.scope_kind == ORGANISATION:
        others = active(role="signatory", scope_kind=ORGANISATION, scope_id=held.scope_id).exclude(pk=held.pk)
        if not others.filter(user__is_active=True).exists():
            raise NotNow(_("这是本单位最后一位签署人，请先任命接任者，再结束这项任职。"), rule="last_signatory", verb="dismiss")


def signatories(organisation: Organisation) -> QuerySet[User]:
    """Whom to write to when something waits for an organisation's signature."""
    return holders("sign_for", organisation)
