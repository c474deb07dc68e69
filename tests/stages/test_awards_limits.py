"""The money of a whole call: pool, sub-quotas that roll over and that do not, each to the fen, on calls of their own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grants.awards.limits import breach
from grants.awards.models import Award, Decision
from tests.world import awards as world

pytestmark = pytest.mark.django_db

ELDERLY = {"code": "elderly", "name": "为老服务", "rollover": "others", "purpose": "扶老"}
SOURCE = {"id": "lottery", "name": "福利彩票公益金", "kind": "lottery", "amount": "150000.00", "purposes": ["扶老"], "logo_text": "彩票公益金资助—中国福利彩票"}
TIGHT = {
    "pool": {"total": "150000.00", "grants": "150000.00", "hosting": 0, "evaluation": 0},
    "sources": [SOURCE],
    "categories": [ELDERLY],
    "amounts": {"cap": "150000.00"},
}


def test_a_fen_over_the_pool_is_refused_and_the_exact_pool_is_not() -> None:
    """The pool is 150,000.00: 90,000.00 + 60,000.00 fit, with one fen more the second is refused with the figures."""
    made = world.ranked(world.rules(**TIGHT), amounts=["90000.00", "60000.00"])
    first, second = world.proposed(made)
    assert first.amount + second.amount == Decimal("150000.00")
    assert breach(second) is None
    Award.objects.filter(pk=second.pk).update(amount=Decimal("60000.01"))
    second.refresh_from_db()
    said = breach(second)
    assert said is not None
    assert "60,000.01" in said


def test_a_bid_a_fen_too_dear_for_the_pool_is_skipped_with_the_figures() -> None:
    made = world.ranked(world.rules(**TIGHT), amounts=["90000.00", "60000.01"])
    (only,) = world.proposed(made)
    refused = Decision.objects.get(awarded=False)
    assert only.amount == Decimal("90000.00")
    assert refused.rule == "pool"
    assert "¥60,000.00" in refused.reason
    assert "60,000.01" in refused.reason
    assert refused.amount == 0


def test_a_sub_quota_that_may_not_roll_over_is_never_exceeded() -> None:
    """为老 100,000 without rollover into it: the second bid does not fit although the pool has plenty."""
    quotas = [
        {"code": "elderly", "name": "为老服务", "amount": "100000.00", "rollover": "next_year", "purpose": "扶老"},
        {"code": "relief", "name": "救助帮困", "amount": "2600000.00", "rollover": "next_year", "purpose": "济困"},
    ]
    made = world.ranked(world.rules(categories=quotas), amounts=["60000.00", "40000.01"])
    world.proposed(made)
    refused = Decision.objects.get(awarded=False)
    assert refused.rule == "pool"
    assert "不调剂" in refused.reason
