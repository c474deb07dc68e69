"""服务领域: one list of fields for needs, calls and organisations, so that need and supply can be laid side by side (domain §10, pitfall 5).

Calls name their categories themselves and organisations describe themselves in their own words; `of_category` and `of_words` say which
field is meant. What fits nowhere is OTHER: shown as such, never dropped.
"""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class ServiceField(models.TextChoices):
    """Fields of service, those that public money forgets most easily beside the usual ones."""

    ELDERLY = "elderly", _("为老服务")
    DISABILITY = "disability", _("助残服务")
    CHILDREN = "children", _("儿童青少年")
    RELIEF = "relief", _("救助帮困")
    GOVERNANCE = "governance", _("社区治理")
    NEIGHBOURS = "neighbours", _("邻里互助")
    ENVIRONMENT = "environment", _("环境与安全")
    ARTS = "arts", _("文艺体育")
    MEDICAL = "medical", _("医疗照护")
    LEGAL = "legal", _("法律援助")
    HOSPICE = "hospice", _("安宁疗护")
    OTHER = "other", _("其他")


F = ServiceField

CATEGORIES: Final[dict[str, ServiceField]] = {
    "elderly": F.ELDERLY, "disability": F.DISABILITY, "children": F.CHILDREN, "family": F.CHILDREN, "relief": F.RELIEF,
    "community": F.GOVERNANCE, "governance": F.GOVERNANCE, "care": F.NEIGHBOURS, "neighbours": F.NEIGHBOURS,
    "environment": F.ENVIRONMENT, "home_care": F.MEDICAL, "legal_aid": F.LEGAL, "hospice": F.HOSPICE,
}  # fmt: skip
"""Category codes of the sample calls. A call of one's own is read by the words of its category's name."""

WORDS: Final[tuple[tuple[ServiceField, tuple[str, ...]], ...]] = (
    (F.HOSPICE, ("安宁", "临终", "哀伤", "丧亲")),
    (F.LEGAL, ("法律", "法治", "维权", "权益", "律师")),
    (F.MEDICAL, ("医疗", "医护", "护理", "康复", "健康")),
    (F.DISABILITY, ("残", "孤独症", "自闭症")),
    (F.CHILDREN, ("儿童", "青少年", "亲子", "未成年", "妇女儿童")),
    (F.ELDERLY, ("老", "养老", "长者")),
    (F.ARTS, ("文艺", "体育", "文化", "艺术", "戏", "曲", "舞", "书画", "合唱")),
    (F.RELIEF, ("救助", "帮困", "济困", "扶贫", "困难", "就业")),
    (F.ENVIRONMENT, ("环境", "安全", "环保", "垃圾", "消防")),
    (F.NEIGHBOURS, ("邻里", "互助", "志愿")),
    (F.GOVERNANCE, ("治理", "社区", "自治", "协商", "社会组织", "物业")),
)
"""Words that decide, the rarest field first: 为老法律服务 is legal aid, 老年体育 is for the elderly only if nothing narrower fits."""


def of_category(code: str, name: str = "") -> ServiceField:
    """The field of a call's category: by its code, else by the words of its name."""
    return CATEGORIES.get(code) or of_words(name)


def of_words(text: str) -> ServiceField:
    """The field somebody's own words describe; OTHER when no word decides."""
    return next((field for field, words in WORDS if any(word in text for word in words)), F.OTHER)
