"""Ledger entries of acts that move no machine: appointments, annual checks, credit records, sponsorships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grants import ledger

if TYPE_CHECKING:
    from django.db.models import Model


def enter(
    event: str,
    about: Model,
    *,
    by: Any,
    role: str,
    public: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """One entry on `about`, e.g. "organisation.annual_check". Must run inside the transaction of the act it records."""
    ledger.record(
        event=event,
        actor=str(by.pseudonym),
        role=role,
        subject=f"{about._meta.model_name}:{about.pk}",
        public=public,
        private=private,
        files=files,
    )
