"""核减: the officer writes the agreed lines, the grantee's signatory agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grants.awards.models import Award
from grants.awards.negotiation import Given
from grants.awards.reduction import Core
from grants.people.models import User
from grants.workflow.door import perform


def reduce(
    award: Award, lines: Given, *, reason: str, by: User, targets: Mapping[str, int] | None = None, core: Core | None = None
) -> Award:
    """Write agreed amounts (line pk → (元, reason)) and targets (key → whole number); the award's amount becomes their sum.

    core: what the reduced project serves, aims at and does, when the grantee changed its plan; must equal the frozen bid's.
    Raises NotYou, NotNow (contract issued), Invalid with a problem per line and target; then nothing was written.
    """
    details: dict[str, Any] = {"lines": dict(lines), "reason": reason, "targets": dict(targets or {}), "core": core}
    return perform(award, "reduce", by=by, note="", **details)


def agree_reduction(award: Award, *, by: User) -> Award:
    """The grantee's signatory agrees to the budget as it stands now. Raises NotYou, NotNow."""
    return perform(award, "agree_reduction", by=by)
