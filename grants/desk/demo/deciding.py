"""From the ranking to effective contracts: proposal, notice, objections, confirmation, contract, two signatures."""

from __future__ import annotations

from decimal import Decimal

from grants.awards import services
from grants.awards.models import Award, Contract, PublicNotice
from grants.calls.models import Call
from grants.desk.demo import hands, papers
from grants.desk.demo.cast import Cast, Office
from grants.desk.demo.judging import settle
from grants.documents.files import store
from grants.documents.models import StoredFile
from grants.people import again
from grants.people.models import User
from grants.workflow.door import perform


def awards(call: Call, *states: str) -> list[Award]:
    """Awards of a call by number, as they stand now."""
    rows = Award.objects.filter(call=call).select_related(*Award.door_select, "call__rules_version").order_by("number")
    return list(rows.filter(state__in=states) if states else rows)


def announce(call: Call, office: Office) -> PublicNotice:
    """Propose inside the pool, have the second person approve and release it, publish the notice."""
    services.propose(call, by=office.officer)
    services.release(call, by=office.approver, note="同意按评审排序拟定立项。")
    notice = services.publish_notice(call, by=office.officer)
    return PublicNotice.objects.select_related("call__agency", "call__rules_version").get(pk=notice.pk)


def confirm(call: Call, office: Office) -> list[Award]:
    """Confirm whatever nobody objects to any more."""
    return services.confirm_all(call, by=office.approver, note="公示期满，确认立项。").done


def cut(award: Award, office: Office, signatory: User) -> Award:
    """核减: the officer takes a tenth off the largest line, the grantee agrees."""
    largest = max(award.lines.all(), key=lambda line: line.agreed)
    agreed = (largest.agreed * 9 / 10).quantize(Decimal(1))
    award = services.reduce(award, {largest.pk: (agreed, "单价高于同类项目，按市场价核定")}, reason="财务专家建议核减", by=office.officer)
    return services.agree_reduction(award, by=signatory)


def draft_all(call: Call, cast: Cast, office: Office) -> None:
    """Contracts of every confirmed award; their texts are printed afterwards."""
    for award in awards(call, "confirmed"):
        _draft(award, cast, office)


def sign_all(call: Call, cast: Cast, office: Office) -> None:
    """Printed contracts: re-checked, issued, signed by both sides on paper and uploaded."""
    for contract in Contract.objects.filter(award__call=call, state="draft").order_by("number"):
        _sign(contract, cast, office)


def _draft(award: Award, cast: Cast, office: Office) -> None:
    if award.grantee_agreed_at is None and any(line.agreed != line.asked for line in award.lines.all()):
        award = services.agree_reduction(award, by=cast.of(award.bid.organisation_id).person)
    services.draft_contract(award, by=office.officer)


def _sign(contract: Contract, cast: Cast, office: Office) -> None:
    contract = _issue(contract, office)
    party = cast.of(contract.signing_party.pk)
    head = {"number": contract.number, "text_hash": contract.text_hash[:8]}
    services.sign(_fresh(contract), _scan(contract, "乙方已签章"), **head, by=party.person)
    services.countersign(_fresh(contract), _scan(contract, "甲乙双方已签章"), **head, by=office.approver)


def _issue(contract: Contract, office: Office) -> Contract:
    contract = _fresh(contract)
    settle(contract.award.bid, by=office.officer, moment="contract")
    services.issue(contract, by=office.officer)
    return _fresh(contract)


def sign_all_electronically(call: Call, cast: Cast, office: Office) -> None:
    """The same without paper: every party asks, its signature is made by an effect, the next one asks."""
    rows = Contract.objects.filter(award__call=call, state="draft").order_by("number")
    for contract in [_issue(row, office) for row in rows]:
        if contract.sponsor is not None:
            _ask(contract, "executor", cast.of(contract.organisation.pk).person)
    hands.drain()
    for contract in _rows(call, "issued"):
        _ask(contract, "grantee", cast.of(contract.signing_party.pk).person)
    hands.drain()
    for contract in _rows(call, "grantee_signed"):
        _ask(contract, "grantor", office.approver)


def _ask(contract: Contract, party: str, by: User) -> None:
    services.sign_electronically(_fresh(contract), party, proof=again.just_now("password"), by=by)


def _rows(call: Call, state: str) -> list[Contract]:
    return list(Contract.objects.filter(award__call=call, state=state).select_related(*Contract.door_select).order_by("number"))


def _fresh(contract: Contract) -> Contract:
    return Contract.objects.select_related(*Contract.door_select).get(pk=contract.pk)


def _scan(contract: Contract, what: str) -> StoredFile:
    page = papers.picture(f"协议签署页（{what}）", contract.number, contract.award.bid.title, f"SHA-256 {contract.text_hash[:16]}…")
    return store(page, name=page.name or "", allowed={"png"}, max_bytes=10**6)


def terminate(award: Award, office: Office, why: str) -> Award:
    """终止, by the approver, with the reason."""
    return perform(award, "terminate", by=office.approver, note=why)
