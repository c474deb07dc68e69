"""Sources of a call and the plan of an award: who pays what, when, from which money. To the fen, by the clock alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from grants.awards.models import Award
from grants.calls.models import Call
from grants.funding.models import Allocation, FundSource, Tranche, TrancheLine
from grants.funding.tranches import matrix, split
from grants.workflow.door import SYSTEM, begin

ORDER = {"lottery": 0, "fiscal": 1, "foundation": 2, "enterprise": 3, "crowdfunding": 4}
"""Narrow purposes first, as the contract names them."""


def set_up_sources(call: Call) -> list[FundSource]:
    """The call's sources as rows, from its rules; calling again adds only what is missing."""
    for source in call.rules.sources:
        FundSource.objects.get_or_create(
            call=call, code=source.id, defaults={"name": source.name, "kind": str(source.kind.value), "amount": source.amount}
        )
    return sorted(call.fund_sources.all(), key=lambda s: (ORDER.get(s.kind, 9), s.code))


def plan(award: Award) -> list[Tranche]:
    """Allocations, tranches and their lines of an award that has begun, once. Locks the award.

    Raises SplitRefused when the contract's sources do not add up to the award.
    """
    with transaction.atomic():
        rows = Award.objects.select_for_update(of=("self",)).select_related("bid__rules_version", "call__rules_version", "contract")
        award = rows.get(pk=award.pk)
        if there := list(award.tranches.order_by("number")):
            return there
        allocations = _allocate(award)
        rules = award.bid.rules.funding.tranches
        parts = split(award.amount, [rule.percent for rule in rules])
        cells = matrix(parts, [a.amount for a in allocations])
        return [_tranche(award, rule, part, allocations, row) for rule, part, row in zip(rules, parts, cells, strict=True)]


def _tranche(award: Award, rule: Any, part: Decimal, allocations: list[Allocation], row: tuple[Decimal, ...]) -> Tranche:
    conditions = [{"code": str(c.code.value), "percent": None if c.percent is None else str(c.percent)} for c in rule.conditions]
    made = begin(Tranche(award=award, number=rule.no, percent=rule.percent, amount=part, conditions=conditions), by=SYSTEM)
    lines = [
        TrancheLine(tranche=made, source_id=a.source_id, amount=cell) for a, cell in zip(allocations, row, strict=True) if cell
    ]
    TrancheLine.objects.bulk_create(lines)
    return made


def _allocate(award: Award) -> list[Allocation]:
    """This award's share of each source, as its contract fixed it: what was signed is what is paid."""
    sources = {source.code: source for source in set_up_sources(award.call)}
    shares = {code: Decimal(amount) for code, amount in award.contract.shares.items()}
    rows = [Allocation(award=award, source=sources[code], amount=shares[code]) for code in sources if shares.get(code)]
    return Allocation.objects.bulk_create(rows)
