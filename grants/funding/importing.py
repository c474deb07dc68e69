"""A bank statement against the orders that wait for their slips: what it would pay is shown, a person confirms."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from grants import ledger
from grants.funding.models import PaymentOrder
from grants.funding.statement import Expected, Matched, match, read


def compare(raw: bytes, orders: QuerySet[PaymentOrder], *, by: Any) -> Matched:
    """Read a statement and match it with `orders`; the reading is an entry of the ledger (hash, counts), nothing else changes.

    Raises NotAStatement.
    """
    lines = read(raw)
    expected = [Expected(o.key, o.payee_account, o.amount) for o in orders]
    found = match(lines, expected)
    with transaction.atomic():
        ledger.record(
            event="bank_statement.read", actor=str(by.pseudonym), role="finance_officer", subject=f"statement:{hashlib.sha256(raw).hexdigest()[:32]}",
            files={"statement": hashlib.sha256(raw).hexdigest()},
            public={"lines": len(lines), "matched": len(found.references), "contradicted": len(found.contradicted)},
        )  # fmt: skip
    return found
