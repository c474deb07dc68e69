"""A rule's queryset form: each row once, and DISTINCT only where rows can come twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model, Q

from bidding.models import Bid
from grants.workflow.rules import Rule, row_rule
from review.models import Panel

CASES: list[tuple[type[Model], Q, bool]] = [
    (Bid, Q(call__agency__code="x") | Q(pk__in=[]), False),
    (Bid, Q(Q(organisation__registrar__code__in=["x"]), ~Q(state="draft")), False),
    (Bid, Q(marks__need__icontains="x"), False),
    (Panel, Q(members__expert__code="S01"), True),
    (Panel, Q(call__code="x") | (Q(call__agency__code="y") & ~Q(reviews__state="void")), True),
    (Bid, Q(versions__number=1), True),
]


@pytest.mark.parametrize(("model", "where", "many"), CASES)
def test_distinct_is_asked_for_only_where_a_row_can_come_twice(model: type[Model], where: Q, many: bool) -> None:
    made: Rule = row_rule("some", "", lambda _actor: where)
    rows: Any = made.filter(model._base_manager.all(), None)
    assert rows.query.distinct is many
