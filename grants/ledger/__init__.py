"""What happened: append-only, provable, knows nobody.

Everything a caller needs is here: `record` and `history` for those who act and look, `sequence` and `checkpoint` for the worker,
`verify` for whoever doubts. Names are loaded when first asked for, because Django imports this package before its models exist.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grants.ledger.errors import KeyMissing, LedgerBroken, LedgerError, NotRecordable, OutsideTransaction
    from grants.ledger.log import Entry, erase, history, record
    from grants.ledger.sequencer import checkpoint, sequence
    from grants.ledger.verification import Fault, Report, verify

__all__ = [
    "Entry",
    "Fault",
    "KeyMissing",
    "LedgerBroken",
    "LedgerError",
    "NotRecordable",
    "OutsideTransaction",
    "Report",
    "checkpoint",
    "erase",
    "history",
    "record",
    "sequence",
    "verify",
]

_HOMES = {
    "errors": ("KeyMissing", "LedgerBroken", "LedgerError", "NotRecordable", "OutsideTransaction"),
    "log": ("Entry", "erase", "history", "record"),
    "sequencer": ("checkpoint", "sequence"),
    "verification": ("Fault", "Report", "verify"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"grants.ledger.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
