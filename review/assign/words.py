"""What a refusal says, in Chinese and in English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "short": (
        ("评审力量不足：申报“%(bids)s”共需 %(needed)d 份%(role)s评审；符合条件且不需回避的专家“%(experts)s”"
        "按负荷上限%(same)s至多承担 %(possible)d 份，缺 %(gap)d 份。"),
        ("Not enough reviewers: bids “%(bids)s” need %(needed)d %(role)s reviews; the eligible experts without a conflict, “%(experts)s”, "
        "can give at most %(possible)d within their loads%(same)s: %(gap)d are missing."),
    ),
    "nobody": (
        "申报“%(bids)s”共需 %(needed)d 份%(role)s评审，没有一位符合条件且不需回避的专家。",
        "Bids “%(bids)s” need %(needed)d %(role)s reviews, and there is no eligible expert without a conflict.",
    ),
    "idle": (
        ("专家“%(experts)s”按下限至少要承担 %(needed)d 份评审；他们可以评审的申报“%(bids)s”至多给出 %(possible)d 份，多出 %(gap)d 份。"
        "请降低每人评审下限。"),
        ("Experts “%(experts)s” are to give at least %(needed)d reviews; the bids they may review, “%(bids)s”, have room for at most "
        "%(possible)d: %(gap)d too many. Lower the minimum load."),
    ),
    "crossing": (
        "同一份申报既要求席位又不得有同一单位的两位专家，两项要求合在一起没有一种分派能满足。",
        "The required seats and the rule of one expert per organisation and bid cannot be met together by any assignment.",
    ),
    "way_out": (
        "依次考虑：增抽专家；提高每人评审上限。不得放宽回避，不得只减少个别申报的评审份数。",
        "In this order: draw more experts; raise the load. Never drop a conflict, never ask for fewer reviews of one bid only.",
    ),
    "kept_forbidden": (
        "已分派的“%(expert)s–%(bid)s”应当回避，请先作废该份评审再补派。",
        "The pair “%(expert)s–%(bid)s” that is assigned already has a conflict: void that review first.",
    ),
    "kept_overload": (
        "专家“%(expert)s”已承担 %(load)d 份，超过每人上限 %(limit)d 份。",
        "Expert “%(expert)s” has %(load)d reviews already, over the limit of %(limit)d.",
    ),
    "kept_too_many": (
        "申报“%(bid)s”已分派 %(kept)d 份，所需席位（含%(role)s）放不进 %(reviews)d 份之内。",
        "Bid “%(bid)s” has %(kept)d reviews already; the seats it needs (%(role)s) do not fit into %(reviews)d.",
    ),
}

FAILURES: Final[Mapping[str, tuple[str, str]]] = {
    "time": (
        "分派计算超过时限，已停止，没有分派任何一份。请减少一次分派的申报数，或请管理员放宽时限后重试。",
        "The assignment took too long and was stopped; nothing was assigned. Assign fewer bids at once, or have the limit raised.",
    ),
    "memory": (
        "分派计算超过内存上限，已停止，没有分派任何一份。请减少一次分派的申报数，或请管理员放宽上限后重试。",
        "The assignment needed more memory than allowed and was stopped; nothing was assigned. Assign fewer bids, or have the limit raised.",
    ),
    "broken": (
        "分派计算进程意外终止，没有分派任何一份。请重试；仍不成功时请联系管理员。",
        "The process that computes the assignment ended without an answer; nothing was assigned. Try again, then tell the administrator.",
    ),
    "refused": (
        "求解器没有给出可以采用的结果（%(detail)s），没有分派任何一份。请联系管理员。",
        "The solver gave no usable result (%(detail)s); nothing was assigned. Tell the administrator.",
    ),
    "proof": (
        "分派结果没有通过自身证明的核对，已弃用，没有分派任何一份。请联系管理员。",
        "The result did not pass its own proof and was thrown away; nothing was assigned. Tell the administrator.",
    ),
}
