"""A bid: working copy, frozen versions, budget, people, attachments, screening findings, receipts; and what is sealed until opening."""

from bidding.models.bid import (
    Attachment,
    Bid,
    BidVersion,
    BudgetLine,
    DeclaredFile,
    Finding,
    Kpi,
    Prefill,
    Presence,
    RelatedDismissal,
    TeamMember,
    WithdrawalReceipt,
)
from bidding.models.seal_program import SealProgram
from bidding.models.sealed import (
    OfficerKey,
    OpeningRecord,
    RecordSignature,
    SealedFile,
    SealedVersion,
    SealKey,
    SealOfficer,
    SealShare,
)

__all__ = [
    "Attachment",
    "Bid",
    "BidVersion",
    "BudgetLine",
    "DeclaredFile",
    "Finding",
    "Kpi",
    "OfficerKey",
    "OpeningRecord",
    "Prefill",
    "Presence",
    "RecordSignature",
    "RelatedDismissal",
    "SealKey",
    "SealOfficer",
    "SealProgram",
    "SealShare",
    "SealedFile",
    "SealedVersion",
    "TeamMember",
    "WithdrawalReceipt",
]
