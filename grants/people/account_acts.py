"""What administrators do to accounts: open, vouch for, deactivate, unlock; and what two of them do together (`AccountRequest`).

Nobody acts in another person's name: there is no sign-in as somebody else, and no administrator ever learns a password — a new
account is opened with a link by which its owner sets one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from grants import clock
from grants.people import lockout, security, visits
from grants.people.appointments import NOT_VOUCHED, SECURITY, active, clash, conclude, give
from grants.people.journal import enter
from grants.people.models import AccountRequest, Site, User
from grants.people.permissions import permissions_of
from grants.people.roles import BY_CODE, SITE
from grants.workflow.door import begin
from grants.workflow.refusals import Invalid, NotNow, NotYou, Sentence

Kind = security.Kind
ONESELF = "oneself"
"""In which role somebody asks for the erasure of their own data: either kind of administrator may confirm it."""
What = AccountRequest.What


def require_site(permission: str, by: Any) -> str:
    """The administrator's role in which `by` holds `permission`. Raises NotYou; superusers hold nothing."""
    if getattr(by, "is_active", False) and permission in permissions_of(by, Site()):
        return next(role.code for role in BY_CODE.values() if role.scope == SITE and permission in role.permissions)
    whose = next(role.name for role in BY_CODE.values() if permission in role.permissions)
    raise NotYou(_("这件事由%(role)s办理。") % {"role": whose}, rule=f"may_{permission}")


def open_account(*, username: str, name: str, email: str = "", phone: str = "", by: User) -> User:
    """开立账号 by the 系统管理员, whose identity check it is; without a password until its owner sets one by `welcome_link`.

    Raises NotYou, Invalid naming the field.
    """
    role = require_site("keep_accounts", by)
    user = User(username=username.strip(), name=name.strip(), email=email.strip(), phone=phone.strip())
    user.set_unusable_password()
    user.vouched_at, user.vouched_by = clock.now(), by
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as wrong:
        raise Invalid(_("账号资料需要改正。"), rule="account", problems=wrong.message_dict) from wrong
    with transaction.atomic():
        user.save(force_insert=True)
        enter("user.open", user, by=by, role=role, public={"person": str(user.pseudonym)})
        security.note(Kind.OPENED, person=user, by=by)
    return user


def welcome_link(user: User) -> str:
    """The path by which an account without a password gets its first one; good for three days and one use."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("people:welcome", args=[uid, default_token_generator.make_token(user)])


def vouch(user: User, *, by: User) -> User:
    """核对身份 of somebody who signed up alone: only such an account can be appointed at an agency. Raises NotYou, NotNow."""
    role = require_site("keep_accounts", by)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.vouched_at is not None:
            raise NotNow(_("这个账号的身份已经核对过。"), rule="vouched")
        if held.pk == by.pk:
            raise NotYou(_("不能核对自己的身份，请由另一位系统管理员办理。"), rule="not_oneself")
        held.vouched_at, held.vouched_by = clock.now(), by
        held.save(update_fields=["vouched_at", "vouched_by"])
        enter("user.vouch", held, by=by, role=role, public={"person": str(held.pseudonym)})
        security.note(Kind.VOUCHED, person=held, by=by)
    return held


def deactivate(user: User, *, because: str, by: User) -> User:
    """停用账号: never deleted, signed out everywhere; the appointments stay on record. Raises NotYou, NotNow.

    An administrator is first relieved of the office, which takes two.
    """
    role = require_site("keep_accounts", by)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.administers:
            raise NotNow(_("管理员账号不能直接停用：请先提出“免去管理员”的账号事项，由另一类管理员复核。"), rule="administers")
        if not held.is_active:
            raise NotNow(_("这个账号已经停用。"), rule="is_active")
        _refuse_last_signatory(held)
        held.is_active = False
        held.save(update_fields=["is_active"])
        visits.end_all(held, how="administrator")
        enter("user.deactivate", held, by=by, role=role, public={"person": str(held.pseudonym)}, private={"note": because})
        security.note(Kind.DEACTIVATED, person=held, by=by)
    return held


def _refuse_last_signatory(user: User) -> None:
    for each in active(user=user, role="signatory"):
        others = active(role="signatory", scope_kind=each.scope_kind, scope_id=each.scope_id, user__is_active=True).exclude(user=user)
        if not others.exists():
            sentence = _("此人是「%(name)s」最后一位签署人。请先由安全管理员为该单位任命接任者，再停用。") % {"name": each.scope_name}
            raise NotNow(sentence, rule="last_signatory")


def reactivate(user: User, *, by: User) -> User:
    """恢复账号. Raises NotYou, NotNow."""
    role = require_site("keep_accounts", by)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.is_active:
            raise NotNow(_("这个账号没有停用。"), rule="is_active")
        if held.erased_at is not None:
            raise NotNow(_("这个账号的个人信息已经删除，不能恢复；本人需要时请重新注册。"), rule="erased")
        held.is_active = True
        held.save(update_fields=["is_active"])
        enter("user.reactivate", held, by=by, role=role, public={"person": str(held.pseudonym)})
        security.note(Kind.REACTIVATED, person=held, by=by)
    return held


def unlock(user: User, *, by: User) -> None:
    """解除锁定: the failures counted against this account are forgotten. Raises NotYou; NotNow for one's own account."""
    require_site("unlock_accounts", by)
    if user.pk == by.pk:
        raise NotYou(_("不能解除自己账号的锁定，请由另一位安全管理员办理，或等锁定时间过去。"), rule="not_oneself")
    with transaction.atomic():
        lockout.lift(user)
        enter("user.unlock", user, by=by, role=SECURITY, public={"person": str(user.pseudonym)})
        security.note(Kind.UNLOCKED, person=user, by=by)


def end_sessions(user: User, *, by: User) -> int:
    """Sign a person out everywhere, by the 系统管理员 or the 安全管理员; returns how many sessions ended. Raises NotYou."""
    if not permissions_of(by, Site()) & {"keep_accounts", "unlock_accounts"}:
        require_site("keep_accounts", by)
    ended = visits.end_all(user, how="administrator")
    security.note(Kind.ENDED, person=user, by=by, detail=f"sessions={ended}")
    return ended


# --- what takes two --------------------------------------------------------------------------------------------------------


def ask_for(what: str, person: User, *, by: User, role: str = "", identity: str = "", note: str = "") -> AccountRequest:
    """提出账号事项. Raises NotYou (not an administrator), NotNow (why it cannot be done), Invalid (open already)."""
    if what not in What.values:
        raise LookupError(f"no account request {what!r}")
    standing = ONESELF if what == What.ERASE and person.pk == by.pk else _standing(by)
    fresh = User.objects.get(pk=person.pk)
    made = AccountRequest(
        site=Site.there(), what=what, person=fresh, role=role, identity=identity.strip(), asked_by=by, asked_as=standing
    )
    if AccountRequest.objects.filter(what=what, person=person, state=AccountRequest.States.ASKED).exists():
        raise Invalid(_("同样的事项已经提出，正在等待复核。"), rule="open_once", problems={"what": [_("已有一件待复核的同样事项。")]})
    return begin(made, by=by, note=note)


def obstacle(asked: AccountRequest) -> Sentence | None:
    """Why this cannot be done as things stand, or None."""
    return OBSTACLES[asked.what](asked)


def _cannot_appoint(asked: AccountRequest) -> Sentence | None:
    role = BY_CODE.get(asked.role)
    if role is None or role.scope != SITE:
        return _("请选择系统管理员、安全管理员或审计管理员。")
    if asked.person.vouched_at is None:
        return NOT_VOUCHED
    return clash(asked.person, role, Site())


def _cannot_dismiss(asked: AccountRequest) -> Sentence | None:
    return None if asked.person.administers else _("此人不是管理员。")


def _cannot_reset(asked: AccountRequest) -> Sentence | None:
    there = Authenticator.objects.filter(user=asked.person).exists()
    return None if there else _("此人没有设置第二重验证，不需要重设；登录时系统会引导其设置。")


def _cannot_void(asked: AccountRequest) -> Sentence | None:
    there = asked.person.has_usable_password()
    return None if there else _("此人还没有设置密码：首次登录链接在账号页面上，交给本人即可。")


def _cannot_link(asked: AccountRequest) -> Sentence | None:
    if not settings.OIDC_ISSUER:
        return _("没有启用单点登录（OIDC_ISSUER）。")
    if not asked.identity:
        return _("请填写身份提供方给出的唯一标识（sub）。")
    if SocialAccount.objects.filter(provider=settings.OIDC_PROVIDER, uid=asked.identity).exists():
        return _("这个身份标识已经绑定了一个账号。")
    return None


def _cannot_erase(asked: AccountRequest) -> Sentence | None:
    from grants.people import erasing  # noqa: PLC0415 - the mail's models are loaded after this module's first reader

    return erasing.obstacle(asked.person)


OBSTACLES: dict[str, Callable[[AccountRequest], Sentence | None]] = {
    What.APPOINT: _cannot_appoint,
    What.DISMISS: _cannot_dismiss,
    What.FACTORS: _cannot_reset,
    What.PASSWORD: _cannot_void,
    What.IDENTITY: _cannot_link,
    What.ERASE: _cannot_erase,
}


def _appoint(asked: AccountRequest, by: User) -> None:
    give(asked.person, asked.role, Site.there(), by=by, standing=_standing(by))
    visits.end_all(asked.person, how="administrator")


def _dismiss(asked: AccountRequest, by: User) -> None:
    for held in active(user=asked.person, scope_kind=SITE):
        conclude(held, Site.there(), by=by, standing=_standing(by))
    visits.end_all(asked.person, how="administrator")


def reset_factors(person: User, *, by: Any) -> int:
    """Take every second factor of a person away and sign them out; they set up a new one at the next sign-in."""
    gone = Authenticator.objects.filter(user=person).delete()[0]
    visits.end_all(person, how="administrator")
    lockout.lift(person)
    security.note(Kind.FACTOR_RESET, person=person, by=by)
    return gone


def _void_password(asked: AccountRequest, by: User) -> None:
    """A forgotten password is not replaced but taken away: its owner sets the next one by a link, nobody else learns it."""
    asked.person.set_unusable_password()
    asked.person.save(update_fields=["password"])
    visits.end_all(asked.person, how="administrator")
    lockout.lift(asked.person)
    security.note(Kind.PASSWORD, person=asked.person, by=by)


def _link(asked: AccountRequest, by: User) -> None:
    SocialAccount.objects.create(user=asked.person, provider=settings.OIDC_PROVIDER, uid=asked.identity)
    security.note(Kind.LINKED, person=asked.person, by=by)


def _erase(asked: AccountRequest, by: User) -> dict[str, Any]:
    from grants.people import erasing  # noqa: PLC0415 - as above

    person = User.objects.select_for_update().get(pk=asked.person_id)
    done = erasing.erase(person, by=by)
    enter("user.erase", person, by=by, role=_standing(by), public={"person": str(person.pseudonym), **done})
    security.note(Kind.DEACTIVATED, person=person, by=by, detail=f"erased, name {done['name']}")
    return done


CARRY_OUT: dict[str, Callable[[AccountRequest, User], Any]] = {
    What.APPOINT: _appoint,
    What.DISMISS: _dismiss,
    What.FACTORS: lambda asked, by: reset_factors(asked.person, by=by),
    What.PASSWORD: _void_password,
    What.IDENTITY: _link,
    What.ERASE: _erase,
}


def _standing(by: Any) -> str:
    return SECURITY if "appoint_staff" in permissions_of(by, Site()) else require_site("keep_accounts", by)
