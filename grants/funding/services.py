"""Funding's verbs, in one place for views, tasks and the demo."""

from __future__ import annotations

from grants.funding.books import balances, check_call
from grants.funding.changing import extended_by, limits_of, propose_change, targets_of
from grants.funding.conditions import conditions, unmet
from grants.funding.importing import compare
from grants.funding.orders import make_batch, reconcile
from grants.funding.planning import plan, set_up_sources
from grants.funding.sending import not_received
from grants.funding.settling import compute_surplus, return_surplus, standing_surplus
from grants.funding.spending import (
    add_expense,
    add_receipt,
    attach_voucher,
    disallow_expense,
    overdue_on,
    project_end,
    verify_receipt,
)

__all__ = [
    "add_expense", "add_receipt", "attach_voucher", "balances", "check_call", "compare", "compute_surplus", "conditions", "disallow_expense",
    "extended_by", "limits_of", "make_batch",
    "not_received", "overdue_on", "plan", "project_end", "propose_change",
    "reconcile", "return_surplus", "set_up_sources", "standing_surplus", "targets_of", "unmet", "verify_receipt",
]  # fmt: skip
