"""Personal and bank numbers as they are shown by default. Pure.

PIPL practice (shared house rule): 身份证 first 3 and last 4, 手机 first 3 and last 4, 银行卡 last 4, 姓名 family name only.
Unmasking is a step of its own with a logged reason; it is not done here.
"""

from __future__ import annotations

STAR = "*"
COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "长孙",
    "夏侯",
    "端木",
    "司徒",
    "百里",
    "南宫",
)


def _keep(value: str, head: int, tail: int) -> str:
    """The ends in the clear, the rest as stars; a value too short to hide anything is hidden whole."""
    text = "".join(str(value).split())
    if len(text) <= head + tail:
        return STAR * len(text)
    return text[:head] + STAR * (len(text) - head - tail) + text[len(text) - tail :]


def mask_phone(value: str) -> str:
    """13812345678 → 138****5678."""
    return _keep(value, 3, 4)


def mask_id(value: str) -> str:
    """320102199001011234 → 320***********1234."""
    return _keep(value, 3, 4)


def mask_bank(value: str) -> str:
    """6222021234567890123 → ***************0123."""
    return _keep(value, 0, 4)


def mask_name(value: str) -> str:
    """张小明 → 张**, 欧阳喆 → 欧阳*."""
    text = str(value).strip()
    head = 2 if len(text) > 2 and text.startswith(COMPOUND) else 1
    return text[:head] + STAR * max(len(text) - head, 1) if text else ""
