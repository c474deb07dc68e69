"""查看完整信息: masked by default, in full after a reason, each look an entry of the log that never repeats the number."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from grants import ledger
from grants.funding.models import PaymentOrder
from grants.people.models import User
from grants.people.revealing import reveal
from grants.workflow.refusals import Invalid, NotYou
from tests.world import awards, funding, people

pytestmark = pytest.mark.django_db

REASON = "核对开户许可证"


def client(user: User) -> Client:
    found = Client()
    found.force_login(user)
    return found


def test_finance_sees_the_whole_account_after_saying_what_for() -> None:
    """Before it, and on every other page, only the last four digits; the entry names the reason and no digit."""
    desk = people.office()
    member = people.body(desk)
    page = reverse("people:full", args=[member.organisation.pk])
    finance = client(desk.finance)
    for before in (finance.get(page), finance.get(reverse("desk:object", args=["organisation", member.organisation.pk]))):
        assert "6217000010001234567" not in before.content.decode()
    shown = finance.post(page, {"reason": REASON})
    assert "6217000010001234567" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    entry = ledger.history(member.organisation.subject)[-1]
    assert (entry.event, entry.public["what"], entry.private) == ("organisation.revealed", ["contact", "account"], {"reason": REASON})
    assert "4567" not in f"{entry.public} {entry.private}"


def test_a_registrars_officer_sees_the_contact_and_no_account() -> None:
    desk = people.office()
    member = people.body(desk)
    found = member.organisation
    shown = reveal(found, by=desk.officer, reason=REASON)
    assert (shown.person, shown.phone, shown.account) == (found.legal_representative, found.phone, "")
    page = client(desk.officer).get(reverse("desk:object", args=["organisation", found.pk])).content.decode()
    assert found.phone not in page
    assert found.legal_representative not in page


@pytest.mark.parametrize("reason", ["", "   ", "看看"])
def test_without_a_reason_nothing_is_shown_and_nothing_recorded(reason: str) -> None:
    desk = people.office()
    member = people.body(desk)
    before = len(ledger.history(member.organisation.subject))
    with pytest.raises(Invalid) as refused:
        reveal(member.organisation, by=desk.finance, reason=reason)
    assert refused.value.rule == "reason_given"
    answer = client(desk.finance).post(reverse("people:full", args=[member.organisation.pk]), {"reason": reason})
    assert answer.status_code == 422
    assert "6217000010001234567" not in answer.content.decode()
    assert len(ledger.history(member.organisation.subject)) == before


def test_nobody_else_is_shown_anything() -> None:
    """Auditors, other agencies' finance, the organisation's neighbours: refused by the service, and no page is there."""
    desk, other = people.office(), people.office()
    member, neighbour = people.body(desk), people.body(desk)
    for user in (desk.auditor, other.finance, neighbour.signatory):
        with pytest.raises(NotYou):
            reveal(member.organisation, by=user, reason=REASON)
        assert client(user).post(reverse("people:full", args=[member.organisation.pk]), {"reason": REASON}).status_code == 404


def test_the_paying_agencys_finance_sees_the_order_in_full_and_it_is_on_its_timeline() -> None:
    project = funding.begun(awards.rules(), amounts=("90000.00",))[0]
    funding.paid(project, 1)
    order = PaymentOrder.objects.get()
    page = reverse("funding:account", args=[order.tranche_id])
    tranche = reverse("desk:object", args=["tranche", order.tranche_id])
    finance = client(project.desk.finance)
    assert order.payee_account not in finance.get(tranche).content.decode()
    assert order.payee_account not in finance.get(page).content.decode()
    assert order.payee_account in finance.post(page, {"reason": "与银行回单核对"}).content.decode()
    assert "查看完整账号" in finance.get(tranche).content.decode()
    assert ledger.history(order.tranche.subject)[-1].event == "tranche.revealed"
    for user in (project.desk.officer, project.desk.auditor, project.claimant):
        assert client(user).post(page, {"reason": "与银行回单核对"}).status_code == 404
