"""What the ledger refuses, each with the field, the rule and the way out."""

from __future__ import annotations


class LedgerError(Exception):
    """Base of the refusals below."""


class OutsideTransaction(LedgerError, RuntimeError):
    """`record()` was called outside a transaction: the entry and the change it tells of must live or die together."""

    def __init__(self) -> None:
        super().__init__("record() must run in the transaction of the change it tells of; wrap both in transaction.atomic()")


class NotRecordable(LedgerError, ValueError):
    """A field of an entry that the log cannot take for ever; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class KeyMissing(LedgerError, RuntimeError):
    """The signing key is gone although it has signed before, or cannot be read."""


class LedgerBroken(LedgerError, RuntimeError):
    """The stored log contradicts its last checkpoint; nothing is appended or signed until `manage.py ledger verify` was read."""


class NotProvable(LedgerError, ValueError):
    """A question that no proof answers: a size that was never signed, an event that is not in the log."""
