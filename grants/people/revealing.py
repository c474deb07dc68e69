"""查看完整信息: personal and account numbers are masked for officers until they say what for; each look is an entry of the ledger.

The reason is kept in the erasable part; who, when and of which organisation stand in the log, on its timeline, and before the auditor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people.models import Organisation, User
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.machine import Machine
from grants.workflow.refusals import Invalid
from grants.workflow.rules import Ask

FEWEST = 4
"""Characters of a reason."""
CONTACTS = may("verify_organisations") | may("verify_accounts")
"""Who may see whom an organisation is reached through."""
ACCOUNTS = may("verify_accounts") | may("pay_tranches")
"""Who may see a whole account number: finance, to compare it with the bank's paper."""


@dataclass(frozen=True)
class Revealed:
    """What this person may see in the clear; "" for what is not for them."""

    person: str = ""
    phone: str = ""
    account: str = ""


def may_reveal(organisation: Organisation, actor: Any) -> bool:
    """Whether there is anything that this person could be shown in full."""
    return bool(CONTACTS.answer(Ask(actor, organisation, clock.now())).ok)


def reveal(organisation: Organisation, *, by: User, reason: str) -> Revealed:
    """An organisation's contact, and for finance its account, in full. Raises NotYou, Invalid(reason)."""
    answer = require(CONTACTS, organisation, by=by)
    finance = bool(ACCOUNTS.answer(Ask(by, organisation, clock.now())).ok)
    note(organisation, by=by, role=answer.role, reason=reason, what=["contact", *(["account"] if finance else [])])
    return Revealed(organisation.legal_representative, organisation.phone, organisation.account_number if finance else "")


def note(about: Machine, *, by: User, role: str, reason: str, what: list[str]) -> None:
    """The entry of one look at masked data. what: stable words, never the data. Raises Invalid(reason)."""
    words = reason.strip()
    if len(words) < FEWEST:
        sentence = _("请写明查看的用途（至少 %(n)d 个字），记入台账。") % {"n": FEWEST}
        raise Invalid(sentence, rule="reason_given", problems={"reason": [sentence]})
    with transaction.atomic():
        ledger.record(
            event=f"{about.kind()}.revealed", actor=str(by.pseudonym), role=role, subject=about.subject, source=about.state, target=about.state,
            public={"what": what}, private={"reason": words},
        )  # fmt: skip
