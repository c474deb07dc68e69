"""协议: composed from what was agreed, printed, issued, signed on paper by both sides."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from grants import clock
from grants.awards.models import Award, Contract
from grants.awards.numbering import contract_number
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.people.again import Proof
from grants.people.models import User
from grants.workflow.door import begin, perform, require
from grants.workflow.refusals import NotNow
from grants.workflow.rules import Ask


def draft_contract(award: Award, *, by: User) -> Contract:
    """Compose the contract of a confirmed award and let it in; its text is printed afterwards (effect `awards.print_contract`).

    Locks the call, then the award. An earlier draft that was ended does not count: an award has one contract for ever. Raises
    NotYou, NotNow (award not confirmed, account not verified), Invalid (sources, sums).
    """
    with transaction.atomic():
        list(Call.objects.select_for_update(of=("self",)).filter(pk=award.call_id))
        rows = Award.objects.select_for_update(of=("self",)).select_related(*Award.door_select, "call__rules_version", "call__operator")
        held = rows.get(pk=award.pk)
        contract = Contract(award=held, number=contract_number(held.call), drafted_by=by)
        _refuse_early(contract, by)
        facts = contract.write_text()
        return begin(contract, by=by, facts=facts)


def _refuse_early(contract: Contract, by: Any) -> None:
    """Ask the opening before composing: without a verified account there is nothing to compose."""
    require(contract.opening.by, contract, by=by)
    for rule in contract.opening.when:
        answer = rule.answer(Ask(by, contract, clock.now()))
        if not answer.ok:
            raise NotNow(answer.sentence, rule=answer.rule or rule.name, verb="open")


def redraw_contract(contract: Contract, *, by: User) -> Contract:
    """Compose an unissued contract again from what is agreed now; its printed file is made anew. Raises NotYou, NotNow, Invalid."""
    return perform(contract, "redraw", by=by)


def issue(contract: Contract, *, by: User) -> Contract:
    """定稿发出: eligibility is asked again and written down. Raises NotYou, NotNow (see the step's `when`)."""
    return perform(contract, "issue", by=by)


def sign(contract: Contract, scan: StoredFile, *, number: str, text_hash: str, by: User) -> Contract:
    """乙方签署 by upload of the sealed scan; number and head of the digest as printed in the footer. Raises NotYou, NotNow."""
    return perform(contract, "sign_grantee", by=by, scan=scan, number=number, text_hash=text_hash)


def countersign(contract: Contract, scan: StoredFile, *, number: str, text_hash: str, by: User) -> Contract:
    """甲方签署: the contract takes effect; the award begins (effect `awards.activate`). Raises NotYou, NotNow."""
    return perform(contract, "countersign", by=by, scan=scan, number=number, text_hash=text_hash)


def sign_electronically(contract: Contract, party: str, *, proof: Proof, by: User) -> Contract:
    """Ask for one party's electronic signature (executor, grantee, grantor); the effect `awards.sign_electronically` makes it and completes
    the step. proof: that the person has just shown again who they are. Raises NotYou, NotNow."""
    return perform(contract, f"ask_{party}", by=by, authenticated=proof)
