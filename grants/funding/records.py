"""What receipts, expenses and the surplus share: the award's lock, the entry in the ledger, a refusal by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from grants import ledger
from grants.awards.models import Award
from grants.funding.models import Surplus
from grants.money import yuan
from grants.workflow.machine import Machine
from grants.workflow.refusals import Invalid, NotNow


def locked_award(award: Award) -> Award:
    """The award's row, locked and fresh: everything that changes one project's spending queues here."""
    related = ("call__rules_version", "bid__organisation", "bid__sponsor", "bid__rules_version", "contract")
    return Award.objects.select_for_update(of=("self",)).select_related(*related).get(pk=award.pk)


def nothing_came_back(award: Award) -> None:
    """After a surplus was returned the spending is settled. Raises NotNow."""
    row = Surplus.objects.filter(award=award, amount__gt=0, returned_at__isnull=False).first()
    if row is not None:
        sentence = _("结余 %(amount)s 已经退回，支出已结清，不能再变动。") % {"amount": yuan(row.amount)}
        raise NotNow(sentence, rule="surplus_returned")


def invalid(name: str, sentence: str) -> Invalid:
    """A refusal that names one field; the rule is the field's name."""
    return Invalid(sentence, rule=name, problems={name: [sentence]})


def remember(
    about: Machine, event: str, by: Any, role: str, public: Mapping[str, Any], files: Mapping[str, str],
    private: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """An entry about an award or a tranche for an act that moves no state. In the caller's transaction."""
    ledger.record(
        event=event, actor=str(by.pseudonym), role=role, subject=about.subject, scope=about.call.subject, verb=event,
        source=about.state, target=about.state, public=public, files=files or None, private=private,
    )  # fmt: skip
