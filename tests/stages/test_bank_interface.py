"""Orders handed to a bank's interface: tried once per batch, unknown until a person knows, never sent again by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.funding import sending, services
from grants.funding.models import PaymentAttempt, PaymentOrder
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import funding as world
from tests.world import shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


class Bank:
    """Remembers what it heard; breaks off when told to."""

    heard: list[sending.Instruction] = []  # noqa: RUF012
    broken = False

    def send(self, instruction: sending.Instruction) -> sending.Answer:
        Bank.heard.append(instruction)
        if Bank.broken:
            raise ConnectionError("line broke")
        return sending.Answer(accepted=True, said="ok")


@pytest.fixture(scope="module")
def project(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    with shared.rows(django_db_blocker):
        yield world.begun()[0]


@pytest.fixture(autouse=True)
def the_bank(project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Bank.heard, Bank.broken = [], False
    settings.BANK_GATEWAY = "bank"
    monkeypatch.setattr(sending, "_gateway", lambda path: Bank())
    with clock.at(project.day(2)):
        yield


def sent(project: Project) -> PaymentOrder:
    world.ordered(project)
    services.make_batch(project.call, by=project.desk.finance)
    effects.drain()
    return world.order_of(project)


def again(project: Project) -> None:
    """Whatever would make an effect run a second time."""
    Outbox.objects.filter(task="funding.send").update(done_at=None, lease_until=None, due_at=effects.real_now())
    effects.drain()


def test_an_order_is_handed_over_once_with_its_number_as_the_key(project: Project) -> None:
    order = sent(project)
    (told,) = Bank.heard
    assert (told.key, told.amount, told.payee_account) == (order.key, order.amount, order.payee_account)
    attempt = PaymentAttempt.objects.get()
    assert attempt.accepted and attempt.answered_at and attempt.effect.startswith("funding.send/")
    assert order.status == "sent_unknown", "accepted is not paid"
    again(project)
    assert len(Bank.heard) == 1


def test_a_broken_line_leaves_an_attempt_without_answer_and_nothing_is_sent_again(project: Project) -> None:
    Bank.broken = True
    order = sent(project)
    Bank.broken = False
    again(project)
    attempt = PaymentAttempt.objects.get()
    assert len(Bank.heard) == 1 and attempt.answered_at is None and order.status == "sent_unknown"


def test_only_another_person_with_a_note_puts_it_back_and_then_it_goes_once_more(project: Project) -> None:
    Bank.broken = True
    order = sent(project)
    Bank.broken = False
    desk = project.desk
    for who, note, refusal, rule in (
        (desk.finance, "银行张某来电", NotYou, "not_made_by"), (desk.approver, " ", Invalid, "note"), (desk.officer, "x", NotYou, "may"),
    ):  # fmt: skip
        with pytest.raises(refusal) as refused:
            services.not_received(world.order_of(project), by=who, note=note)
        assert rule in refused.value.rule
    services.not_received(world.order_of(project), by=desk.approver, note="银行张某 13:00 电话答复没有收到")
    entry = AuditEvent.objects.filter(event="payment_order.not_received").latest("pk")
    assert ledger.history(f"tranche:{order.tranche_id}")[-1].private == {"note": "银行张某 13:00 电话答复没有收到"} and b"13:00" not in bytes(entry.leaf)
    with pytest.raises(NotNow):
        services.not_received(world.order_of(project), by=desk.approver, note="x")
    services.make_batch(project.call, by=desk.finance)
    effects.drain()
    assert [told.key for told in Bank.heard] == [order.key, order.key], "the same key: the bank can tell"
    assert PaymentAttempt.objects.count() == 2


def test_without_a_bank_nothing_is_promised(project: Project, settings: Any) -> None:
    settings.BANK_GATEWAY = ""
    sent(project)
    assert not Bank.heard and not Outbox.objects.filter(task="funding.send").exists()


def test_a_statement_fills_the_slips_and_confirms_nothing(project: Project) -> None:
    """The person sees the references beside the orders and confirms; what disagrees is named; reading is an entry."""
    order, client = sent(project), Client()
    client.force_login(project.desk.finance)
    page = reverse("funding:reconcile")

    def compared(amount: Decimal, name: str = "s.csv") -> tuple[int, str]:
        text = f"流水号,收款账号,金额,用途\r\nHD77,{order.payee_account},{amount},{order.key} 第1期\r\nHD78,1,5.00,房租\r\n"
        answer = client.post(page, {"statement": SimpleUploadedFile(name, text.encode("gb18030"))})
        return answer.status_code, answer.content.decode()

    status, shown = compared(order.amount)
    assert status == 200 and 'value="HD77"' in shown and "1 行与本平台无关" in shown
    assert world.order_of(project).status == "sent_unknown"
    assert AuditEvent.objects.filter(event="bank_statement.read").count() == 1
    status, shown = compared(order.amount + 1)
    assert 'value="HD77"' not in shown and "不符" in shown
    answer = client.post(page, {"statement": SimpleUploadedFile("x.csv", b"a,b\r\n1,2\r\n")})
    assert answer.status_code == 422 and "缺少列" in answer.content.decode()
    client.post(page, {f"slip_{order.pk}": "HD77"})
    assert world.order_of(project).status == "paid"


def test_the_page_of_an_order_the_bank_never_had(project: Project) -> None:
    Bank.broken = True
    order, client = sent(project), Client()
    address = reverse("funding:not_received", args=[order.pk])
    client.force_login(project.desk.finance)
    assert "没有答复，不知结果" in client.get(address).content.decode()
    refused = client.post(address, {"note": "银行说没有"})
    assert refused.status_code == 403 and "银行说没有" in refused.content.decode()
    client.force_login(project.desk.approver)
    assert client.post(address, {"note": "银行说没有"}).status_code == 302
    assert world.order_of(project).status == "ready"
    client.force_login(project.claimant)
    assert client.get(address).status_code == 404
