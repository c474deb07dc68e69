"""公示脱敏: nothing leaves for the public but named fields, and none of them with a personal number inside. Pure.

Two gates. `publishable` takes only fields of a whitelist (what is not named is not published). `leaks` then reads every text,
nested ones too, for identity numbers, telephone numbers, bank cards and e-mail addresses, written plainly, with full-width
digits, spaces or dashes, or with invisible characters between. 个人信息保护法 §25 forbids publishing without separate consent.

Codes of organisations, project numbers, amounts, dates and hashes are not personal and must pass: a gate that cries at every
notice is switched off. `known` names exact values that may stand, e.g. the agency's own switchboard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from grants.people import identity, uscc

SENTENCES: Final[Mapping[str, str]] = {
    "id": "字段“%(field)s”含有疑似居民身份证号（%(sample)s），公示不得公开。请删除该号码，或只写姓名“张*”。",
    "mobile": "字段“%(field)s”含有疑似手机号码（%(sample)s），公示不得公开。请删除，或改用单位公开的办公电话。",
    "landline": "字段“%(field)s”含有疑似固定电话（%(sample)s），公示不得公开。请删除；主办方公开电话请登记为允许项。",
    "bank": "字段“%(field)s”含有疑似银行卡号（%(sample)s），公示不得公开。请删除，或只写末四位。",
    "email": "字段“%(field)s”含有电子邮箱（%(sample)s），公示不得公开。请删除；主办方公开邮箱请登记为允许项。",
    "whitelist": "字段“%(field)s”不在可公开字段之内。可公开的字段：%(allowed)s。",
}

_SEP: Final = r"[ \-.·/_]?"
_LEFT: Final = r"(?<![0-9])"
_AREA: Final = r"(?:10|2\d|[3-9]\d{2})"
_LOCAL: Final = r"[2-8]\d{2,3}[ \-]?\d{4}(?!\d)"
_ID18: Final = re.compile(_LEFT + rf"(\d{{6}}{_SEP}\d{{4}}{_SEP}\d{{2}}{_SEP}\d{{2}}{_SEP}\d{{3}}{_SEP}[\dXx])(?![0-9])")
_ID15: Final = re.compile(_LEFT + rf"(\d{{6}}{_SEP}\d{{2}}{_SEP}\d{{2}}{_SEP}\d{{2}}{_SEP}\d{{3}})(?![0-9A-Za-z])")
_ID_SPACED: Final = re.compile(_LEFT + r"((?:\d ?){17}[\dXx])(?![0-9])")
_MOBILE_START: Final = r"(?:(?<!\d)|(?<=(?<!\d)86)|(?<=0086))"
_MOBILE: Final = re.compile(_MOBILE_START + rf"(1[3-9]\d(?:{_SEP}\d{{4}}{_SEP}\d{{4}}|{_SEP}\d{{3}}{_SEP}\d{{5}}))(?!\d)")
_MOBILE_SPACED: Final = re.compile(r"(?<![\d.])(1(?: \d){10})(?![ ]?\d)")
_LANDLINE: Final = re.compile(rf"(?<![\d.])(?<!\d-)(\(?0{_AREA}\)?[ \-]{{0,2}}{_LOCAL})")
_LANDLINE_ABROAD: Final = re.compile(rf"(?:\+|00)86[ \-]?(\(?0?{_AREA}\)?[ \-]?{_LOCAL})")
_BANK: Final = re.compile(_LEFT + r"([3-69]\d{12,18})(?![0-9A-Za-z])")
_BANK_GROUPS: Final = re.compile(_LEFT + r"([3-69]\d{3}([ \-.·])\d{4}\2\d{4}\2\d{1,4}(?:\2\d{1,3})?)(?![0-9A-Za-z])")
_BANK_SPACED: Final = re.compile(_LEFT + r"([3-69](?: \d){12,18})(?![ ]?[0-9A-Za-z])")
_EMAIL: Final = re.compile(r"([A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+)")
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEX: Final = re.compile(rf"(?<![0-9A-Za-z])(?:(?=[0-9]*[a-f])[0-9a-f]{{32,128}}|{_UUID})(?![0-9A-Za-z])", re.IGNORECASE)
_CODE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{18}(?![0-9A-Za-z])")
_NO_MOBILE: Final = r"(?!1[3-9]\d{9}(?!\d))"
_MONEY: Final = re.compile(rf"¥ ?{_NO_MOBILE}\d[\d,]*(?:\.\d+)?|(?<![\d,]){_NO_MOBILE}\d[\d,]*\.\d{{2}}(?![\d.])")
_PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82}
)


@dataclass(frozen=True)
class Leak:
    """One personal number in one field. kind: id, mobile, landline, bank, email; sample is masked."""

    field: str
    kind: str
    sample: str
    sentence: str


class FieldNotPublic(ValueError):
    """A field that is not on the whitelist was offered for publication."""

    def __init__(self, field: str, allowed: Sequence[str]) -> None:
        self.field = field
        self.sentence = SENTENCES["whitelist"] % {"field": field, "allowed": "、".join(allowed)}
        super().__init__(self.sentence)


def publishable(values: Mapping[str, object], whitelist: Sequence[str]) -> dict[str, object]:
    """`values` in the whitelist's order. Raises FieldNotPublic for a field not on it: dropping it would hide a mistake."""
    for field in values:
        if field not in whitelist:
            raise FieldNotPublic(field, whitelist)
    return {field: values[field] for field in whitelist if field in values}


def leaks(values: Mapping[str, object], *, known: Iterable[str] = ()) -> list[Leak]:
    """Every personal number in `values`: texts and integers at any depth; amounts (Decimal), dates and booleans are not read.

    known: exact texts that may stand. Field names of nested values are joined by dots, list places count from 1.
    """
    allowed = sorted((_folded(k) for k in known if k), key=len, reverse=True)
    return [leak for field, text in _texts("", values) for leak in _scan(field, _folded(text), allowed)]


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = f"{path}.{key}" if path else str(key)
            yield name, str(key)
            yield from _texts(name, inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for place, inner in enumerate(value, start=1):
            yield from _texts(f"{path}.{place}", inner)
    elif isinstance(value, str):
        yield path, value
    elif (isinstance(value, int) and not isinstance(value, bool)) or not isinstance(value, Decimal | date | bool | None):
        yield path, str(value)


def _folded(text: str) -> str:
    """Half-width, one kind of dash and of space, nothing invisible: what a reader sees is what is searched."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = re.sub(r"[‐‑‒–—―−﹣~]", "-", text)
    return re.sub(r"\s", " ", text)


def _scan(field: str, text: str, allowed: Sequence[str]) -> Iterator[Leak]:
    for value in allowed:
        text = text.replace(value, "#")
    for kind, found in _found(text):
        sample = _MASKS[kind](found)
        yield Leak(field, kind, sample, SENTENCES[kind] % {"field": field, "sample": sample})


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Kinds in order of certainty; what one kind has taken the next does not see."""
    text = _HEX.sub("#", text)
    for kind, patterns, really in _KINDS:
        if kind == "bank":
            text = _CODE.sub(lambda m: "#" if uscc.is_valid(m[0]) else m[0], text)
            text = _MONEY.sub("#", text)
        for pattern in patterns:
            for number in dict.fromkeys(match[1] for match in pattern.finditer(text)):
                if really(number):
                    yield kind, number
                    text = text.replace(number, "#")


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isalnum()).upper()


def _is_id18(text: str) -> bool:
    return identity.is_valid(_digits(text))


def _is_id15(text: str) -> bool:
    """First-generation number: province, and a birth date in 19YY; there is no check digit."""
    digits = _digits(text)
    return int(digits[:2]) in _PROVINCES and identity.birth_date("19" + digits[6:12]) is not None


def _luhn(text: str) -> bool:
    """ISO/IEC 7812-1: double every second digit from the right, sum the digits, divisible by ten."""
    digits = [int(c) for c in reversed(_digits(text))]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _always(text: str) -> bool:
    return bool(text)


_KINDS: Final = (
    ("email", (_EMAIL,), _always),
    ("id", (_ID18, _ID_SPACED), _is_id18),
    ("bank", (_BANK, _BANK_GROUPS, _BANK_SPACED), _luhn),
    ("id", (_ID15,), _is_id15),
    ("mobile", (_MOBILE, _MOBILE_SPACED), _always),
    ("landline", (_LANDLINE_ABROAD, _LANDLINE), _always),
)
_MASKS: Final = {
    "id": identity.mask_id,
    "mobile": identity.mask_phone,
    "landline": identity.mask_phone,
    "bank": identity.mask_bank,
    "email": identity.mask_email,
}


def masked(text: str) -> str:
    """`text` with every personal number in it masked; unchanged, to the character, when there is none."""
    if not any(True for _leak in _scan("", _folded(text), ())):
        return text
    folded = _folded(text)
    for kind, number in list(_found(folded)):
        folded = folded.replace(number, _MASKS[kind](number))
    return folded
