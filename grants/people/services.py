"""What people and organisations do: everything another stage, a page or the demo may call, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from grants.people import uscc
from grants.people.account_acts import (
    ask_for,
    deactivate,
    end_sessions,
    open_account,
    reactivate,
    require_site,
    unlock,
    vouch,
    welcome_link,
)
from grants.people.appointments import active, appoint, dismiss, forbid, give, holders, may_appoint, signatories
from grants.people.journal import enter
from grants.people.keeping import drop, expiring, keep, reads, remind, save_story, story_of
from grants.people.models import Agency, Organisation, User
from grants.people.records import (
    record_annual_check,
    record_credit,
    record_credit_lookup,
    record_grade,
    remove_credit,
    revoke_annual_check,
)
from grants.people.sponsorship import accept_sponsorship, agreements_on, end_sponsorship, propose_sponsorship, sponsor_on
from grants.workflow.door import SYSTEM, begin, perform
from grants.workflow.refusals import Invalid

__all__ = [
    "accept_sponsorship",
    "active",
    "agreements_on",
    "appoint",
    "ask_for",
    "create_agency",
    "create_person",
    "deactivate",
    "dismiss",
    "drop",
    "end_sessions",
    "end_sponsorship",
    "expiring",
    "forbid",
    "holders",
    "keep",
    "may_appoint",
    "names_of",
    "open_account",
    "propose_sponsorship",
    "reactivate",
    "reads",
    "record_annual_check",
    "record_credit",
    "record_credit_lookup",
    "record_grade",
    "register_organisation",
    "remind",
    "remove_credit",
    "require_site",
    "revoke_annual_check",
    "save_story",
    "set_account",
    "signatories",
    "sponsor_on",
    "story_of",
    "unlock",
    "update_organisation",
    "verify_account",
    "vouch",
    "welcome_link",
]

FOUNDER = ("signatory", "editor", "claimant")
"""The roles of whoever registers an organisation; they appoint the others."""


def create_person(*, username: str, password: str, name: str, email: str = "", phone: str = "", encoded: str = "") -> User:
    """An account without any role. Raises Invalid naming the field: taken user name, weak password (AUTH_PASSWORD_VALIDATORS).

    encoded: the same password as `make_password` encodes it, where many accounts are made at once (hashing is slow on purpose).
    """
    user = User(username=username.strip(), name=name.strip(), email=email.strip(), phone=phone.strip())
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as wrong:
        problems = wrong.message_dict if hasattr(wrong, "error_dict") else {"password": wrong.messages}
        raise Invalid(_("账号资料需要改正。"), rule="account", problems=problems) from wrong
    user.password = encoded or make_password(password)
    user.save(force_insert=True)
    return user


def create_agency(*, code: str, name: str, short_name: str, by: Any, **more: str) -> Agency:
    """主办方, set up by the 系统管理员 (or the installation itself). more: address, contact, legal_representative.

    Raises NotYou, Invalid (credit code, taken name or code).
    """
    standing = "system" if by is SYSTEM else require_site("keep_agencies", by)
    try:
        parsed = uscc.parse(code)
    except uscc.CreditCodeError as wrong:
        raise Invalid(wrong.sentence, rule="uscc", problems={"code": [wrong.sentence]}) from wrong
    with _already_there("code", _("这个代码或名称的主办方已经存在。")), transaction.atomic():
        agency = Agency.objects.create(code=parsed.text, name=name.strip(), short_name=short_name.strip(), **more)
        enter("agency.open", agency, by=by, role=standing, public={"code": agency.code, "name": agency.name})
    return agency


def register_organisation(*, by: User, **values: Any) -> Organisation:
    """A draft organisation with its particulars (see `particulars`); `by` becomes signatory, editor and claimant of it.

    Raises Invalid with a sentence per field, also when the credit code or the record number is registered already.
    """
    organisation = Organisation()
    organisation.apply(values)
    with _already_there("uscc", _taken()), transaction.atomic():
        begin(organisation, by=by)
        for role in FOUNDER:
            give(by, role, organisation, by=by, standing="self")
    return organisation


def update_organisation(organisation: Organisation, *, by: User, **values: Any) -> Organisation:
    """Change particulars. Contact details any time, the rest only while not verified. Raises NotYou, NotNow, Invalid."""
    with _already_there("uscc", _taken()):
        return perform(organisation, "update", by=by, values=values)


def set_account(organisation: Organisation, *, bank: str, number: str, by: User) -> Organisation:
    """收款账户, always in the organisation's own name; un-verified by any change. Raises NotYou, NotNow, Invalid."""
    return perform(organisation, "set_account", by=by, bank=bank, number=number)


def verify_account(organisation: Organisation, *, evidence: str, by: User) -> Organisation:
    """Finance has compared the account with the bank's paper; another person than who typed it. Raises NotYou, NotNow."""
    return perform(organisation, "verify_account", by=by, evidence=evidence)


def names_of(pseudonyms: set[str]) -> dict[str, str]:
    """Pseudonym → name, for timelines; one query. An erased person is missing."""
    wanted = [p for p in pseudonyms if p != SYSTEM.pseudonym]
    return {str(user.pseudonym): str(user) for user in User.objects.filter(pseudonym__in=wanted)}


def _taken() -> str:
    return _("这个信用代码或备案号已经登记。如果是贵单位，请由已登记的签署人在“人员”页面为您任命角色。")


@contextmanager
def _already_there(field: str, sentence: str) -> Iterator[None]:
    """The database's uniqueness, said in a sentence; also when two people register the same body at the same second."""
    try:
        yield
    except IntegrityError as taken:
        if "unique" not in str(taken).lower():
            raise
        raise Invalid(sentence, rule="already_registered", problems={field: [sentence]}) from taken
