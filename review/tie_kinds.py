"""Which kinds of tie join which parties, said once for the page, the file and the service. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grants.sentences import marked as _
from review.conflicts import KINSHIP, RelationKind

K = RelationKind
PERSON, BODY = "person", "body"
OF_PERSON: Final = frozenset({K.EMPLOYED, K.BOARD, K.SUPERVISOR, K.LEGAL_REPRESENTATIVE, K.HEAD, K.CONSULTED, K.MENTOR})
OF_BODIES: Final = frozenset({K.SAME_CONTROLLER, K.SPONSOR, K.CO_APPLICANT})
TO_BODY: Final = frozenset({K.CONTROLLER, K.SHAREHOLDER, K.SUPPLIER, K.DONOR})
ANY: Final = frozenset({K.DISPUTE})
KINDS: Final[tuple[RelationKind, ...]] = tuple(k for k in RelationKind if k in OF_PERSON | OF_BODIES | TO_BODY | ANY | KINSHIP)
"""What can be recorded as a tie. Who names themself in conflict says so on their own page; a challenge has its own machine."""
SENTENCES: Final[Mapping[str, str]] = {
    "of_person": _("“%(kind)s”的甲方应是个人、乙方应是单位。"),
    "of_bodies": _("“%(kind)s”的双方都应是单位。"),
    "to_body": _("“%(kind)s”的乙方应是单位。"),
    "kinship": _("“%(kind)s”的双方都应是个人。"),
}


def wrong_ends(kind: RelationKind, left: str, right: str) -> str:
    """The rule that these ends (PERSON or BODY) break; "" when the tie makes sense."""
    if kind in OF_PERSON:
        return "" if (left, right) == (PERSON, BODY) else "of_person"
    if kind in OF_BODIES:
        return "" if (left, right) == (BODY, BODY) else "of_bodies"
    if kind in TO_BODY:
        return "" if right == BODY else "to_body"
    return "kinship" if kind in KINSHIP and (left, right) != (PERSON, PERSON) else ""


def kind_named(text: str) -> RelationKind | None:
    """The kind by its code or its Chinese term; None for another word."""
    words = text.strip()
    return next((k for k in KINDS if words in (k.value, k.zh, k.zh.removesuffix("关系"), SHORT.get(k))), None)


SHORT: Final[Mapping[RelationKind, str]] = {
    K.EMPLOYED: "任职", K.BOARD: "董事", K.SUPERVISOR: "监事", K.LEGAL_REPRESENTATIVE: "法定代表人", K.HEAD: "负责人", K.CONTROLLER: "控制",
    K.SAME_CONTROLLER: "同一控制人", K.SHAREHOLDER: "股东", K.SPOUSE: "夫妻", K.LINEAL: "直系血亲", K.COLLATERAL: "旁系血亲", K.AFFINITY: "姻亲",
    K.CONSULTED: "咨询", K.MENTOR: "督导", K.SUPPLIER: "供货", K.DISPUTE: "纠纷", K.DONOR: "捐赠", K.CO_APPLICANT: "联合申报", K.SPONSOR: "挂靠",
}  # fmt: skip
"""Short words for a spreadsheet."""
