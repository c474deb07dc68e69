"""The closing gate: gathers the facts of a project and asks `closing` what is missing."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import get_language

from grants.awards.models import Award
from grants.evaluation import closing
from grants.evaluation.models import Evaluation
from grants.funding.services import standing_surplus
from grants.money import ZERO

OPEN = ("planned", "requested", "checked", "approved", "ordered", "withheld")
MADE_BY_THE_SYSTEM = {"report": "final", "surplus": "surplus", "ledger": "expenses", "receipts": "expenses"}
"""Closing items whose paper is the record itself: the confirmed final report, the settled surplus, the vouchers of the expenses."""


def missing_for(award: Award) -> list[str]:
    """Sentences with the way out, in working order; empty: the project may be closed."""
    english = (get_language() or "").startswith("en")
    return [m.english() if english else f"{m.sentence}{m.way_out}" for m in closing.missing(facts(award), rules(award))]


def rules(award: Award) -> closing.ClosingRules:
    asked = award.bid.rules.evaluation
    items = tuple(closing.ClosingItem(i.code, i.name, i.required) for i in asked.closing)
    return closing.ClosingRules(
        items=items,
        needs_midterm=asked.midterm is not None,
        needs_final=asked.final is not None,
        satisfaction_min=asked.satisfaction_min if asked.final is not None else None,
    )


def facts(award: Award) -> closing.ClosingFacts:
    """How the project stands, in a fixed number of queries."""
    midterm, final = (_confirmed(award, moment) for moment in ("midterm", "final"))
    verified = Sum("receipts__amount", filter=Q(receipts__verified_at__isnull=False))
    tranches = list(award.tranches.annotate(verified=verified).order_by("number"))
    surplus = standing_surplus(award)
    return closing.ClosingFacts(
        midterm_done=midterm is not None,
        final_grade=None if final is None else final.grade_name,
        final_passed=final is not None and final.grade_code == "passed",
        tranches_open=tuple(t.number for t in tranches if t.state in OPEN),
        tranches_without_receipt=tuple(t.number for t in tranches if t.state == "paid" and (t.verified or ZERO) < t.amount),
        expenses_unverified=award.expenses.filter(voucher=None, disallowed_reason="").count(),
        surplus=None if surplus is None else surplus.amount,
        refunded=surplus.amount if surplus is not None and surplus.returned_at else ZERO,
        objections_open=award.objections.filter(state__in=("filed", "accepted")).count(),
        satisfaction=_satisfaction(final),
        rectifications_open=rectifications_open(award),
        papers=frozenset(_papers(award, final, settled=surplus is not None and surplus.returned_at is not None)),
    )


def _confirmed(award: Award, moment: str) -> Evaluation | None:
    return award.evaluations.filter(moment=moment, state="confirmed").first()


def _satisfaction(final: Evaluation | None) -> Decimal | None:
    value = None if final is None else final.achieved.get("satisfaction")
    return None if value in (None, "") else Decimal(str(value))


def rectifications_open(award: Award) -> int:
    """1 while a failed evaluation has no report of rectification in the file, else 0."""
    failed = award.evaluations.filter(state="confirmed", grade_code="failed").exists()
    return int(failed and not award.evidence.filter(code="rectification").exists())


def _papers(award: Award, final: Evaluation | None, *, settled: bool) -> set[str]:
    held = set(award.evidence.values_list("code", flat=True))
    standing = {
        "final": final is not None,
        "surplus": settled,
        "expenses": award.expenses.exists() and not award.expenses.filter(voucher=None, disallowed_reason="").exists(),
    }
    return held | {code for code, source in MADE_BY_THE_SYSTEM.items() if standing[source]}


def archive_gaps(award: Award) -> list[str]:
    """Required papers that are not in the file, without the surplus (which is settled after the last tranche)."""
    final = _confirmed(award, "final")
    held = _papers(award, final, settled=True)
    return [i.name for i in rules(award).items if i.required and i.code not in held]
