"""What can be done in awards, besides the steps of the machines.

    proposing    propose, confirm_all
    releasing    drafts, pending, release
    noticing     preview, publish_notice
    objecting    file_objection, read_objector
    reducing     reduce, agree_reduction
    contracting  draft_contract, redraw_contract, issue, sign, countersign, sign_electronically
"""

from grants.awards.services.contracting import (
    countersign,
    draft_contract,
    issue,
    redraw_contract,
    sign,
    sign_electronically,
)
from grants.awards.services.noticing import Preview, preview, publish_notice
from grants.awards.services.objecting import accept, dismiss, file_objection, read_objector, refuse, uphold
from grants.awards.services.proposing import Taken, confirm_all, propose
from grants.awards.services.reducing import agree_reduction, reduce
from grants.awards.services.releasing import drafts, pending, release

__all__ = [
    "Preview",
    "Taken",
    "accept",
    "agree_reduction",
    "confirm_all",
    "countersign",
    "dismiss",
    "draft_contract",
    "drafts",
    "file_objection",
    "issue",
    "pending",
    "preview",
    "propose",
    "publish_notice",
    "read_objector",
    "redraw_contract",
    "reduce",
    "refuse",
    "release",
    "sign",
    "sign_electronically",
    "uphold",
]
