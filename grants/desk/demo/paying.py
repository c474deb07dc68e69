"""Money: request, check, approve, order, bank, slip; receipts, expenses with vouchers, surplus. Each by the person whose duty it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from random import Random

from grants import clock
from grants.awards.models import AgreedLine, Award
from grants.calls.models import Call
from grants.desk.demo import papers
from grants.desk.demo.cast import Cast, Office
from grants.desk.demo.judging import settle
from grants.funding import services
from grants.funding.models import PaymentOrder, Tranche
from grants.money import ZERO
from grants.workflow.door import perform

CENT = Decimal("0.01")


def tranche(award: Award, number: int) -> Tranche:
    """One tranche as it stands now."""
    rows = Tranche.objects.select_related(*Tranche.door_select, "award__call__rules_version")
    return rows.get(award=award, number=number)


def receipt(award: Award, number: int, cast: Cast, office: Office) -> None:
    """The payee hands in the receipt of one tranche, the officer checks it."""
    part = tranche(award, number)
    kind = str(award.bid.rules.funding.receipts[0])
    title = office.agency.name
    page = papers.picture("公益资金收据", title, f"金额 {part.amount} 元", f"{award.number} 第 {number} 期")
    made = services.add_receipt(
        part, file=page, by=_claimant(award, cast), kind=kind, number=f"SJ{award.number}-{number}", issued_on=clock.today(),
        payer_title=title, amount=part.amount,
    )  # fmt: skip
    services.verify_receipt(made, by=office.officer)


def request(award: Award, number: int, cast: Cast, office: Office) -> Tranche:
    """Receipt and request."""
    receipt(award, number, cast, office)
    return perform(tranche(award, number), "request", by=_claimant(award, cast))


def approve(award: Award, number: int, office: Office) -> Tranche:
    """The officer looks the grantee up again and checks the conditions; the approver approves."""
    settle(award.bid, by=office.officer, moment="payment")
    perform(tranche(award, number), "check_", by=office.officer)
    return perform(tranche(award, number), "approve", by=office.approver)


def pay(call: Call, number: int, chosen: Iterable[Award], office: Office) -> None:
    """Orders of approved tranches, one bank file, and the bank's slips."""
    for award in chosen:
        perform(tranche(award, number), "order", by=office.finance)
    batch = services.make_batch(call, by=office.finance)
    for order in PaymentOrder.objects.filter(batch=batch).order_by("key"):
        services.reconcile(order, bank_reference=f"{clock.today():%Y%m%d}{order.key}", by=office.finance)


def through(call: Call, number: int, chosen: list[Award], cast: Cast, office: Office) -> None:
    """One tranche of several awards from request to payment, in one sitting of the desk."""
    for award in chosen:
        request(award, number, cast, office)
        approve(award, number, office)
    if chosen:
        pay(call, number, chosen, office)


def spend(award: Award, total: Decimal, cast: Cast) -> None:
    """Book expenses with vouchers until `total` 元 of the grant is spent, spread over the agreed lines."""
    left = total - services_spent(award)
    for line in award.lines.order_by("position"):
        part = min(_share(award, line, total), left)
        if part > 0:
            _expense(award, line, part, cast)
            left -= part
    if left > 0:
        _top_up(award, left, cast)


def services_spent(award: Award) -> Decimal:
    """元 of the grant spent so far."""
    from grants.funding.conditions import spent_so_far  # noqa: PLC0415 - one of two names shadows the other's module otherwise

    return spent_so_far(award, "grant")


def _share(award: Award, line: AgreedLine, total: Decimal) -> Decimal:
    """What this line still lacks of its part of `total`."""
    part = (line.agreed * total / award.amount).quantize(CENT)
    return min(part, line.agreed) - _spent_on(line)


def _top_up(award: Award, left: Decimal, cast: Cast) -> None:
    """Rounding leaves a few fen: they go where there is room."""
    for line in award.lines.order_by("position"):
        room = min(line.agreed - _spent_on(line), left)
        if room > 0:
            _expense(award, line, room, cast)
            left -= room


def _spent_on(line: AgreedLine) -> Decimal:
    return sum((e.amount for e in line.expenses.filter(disallowed_reason="")), ZERO)


def _expense(award: Award, line: AgreedLine, amount: Decimal, cast: Cast) -> None:
    number = f"{award.number}-{award.expenses.count() + 1:03d}"
    luck = Random(f"{award.number}/{number}")  # noqa: S311 - days and shops of a story
    started = award.started_on or clock.today()
    on = max(started, min(clock.today(), services.project_end(award)) - timedelta(days=luck.randint(1, 20)))
    shop = luck.choice(("云溪文印服务部", "望湖便民超市", "澄江惠民物资公司", "青禾餐饮服务部", "安行客运服务部"))
    page = papers.picture("记账凭证附件", award.number, number, line.name, f"{amount} 元", papers.day(on))
    services.add_expense(
        award, by=_claimant(award, cast), line=line, voucher=page, spent_on=on, category=line.category, purpose=line.name, payee=shop,
        amount=amount, money="grant", method="对公转账", voucher_no=number,
    )  # fmt: skip


def settle_surplus(award: Award, office: Office) -> Decimal:
    """The officer works out what goes back; the finance officer confirms that it came."""
    row = services.compute_surplus(award, by=office.officer)
    if row.amount:
        services.return_surplus(award, bank_reference=f"TK{clock.today():%Y%m%d}{award.number}", by=office.finance)
    return row.amount


def _claimant(award: Award, cast: Cast):  # type: ignore[no-untyped-def]
    return cast.of(award.payee.pk).person
