"""居民身份证 (GB 11643-1999) and the masking of personal data. Pure; nothing here stores or logs what it reads.

Identity numbers are asked for only where the law needs them (payee of a labour fee, signatory), never of beneficiaries by default
(个人信息保护法 §6, §28). Other papers (passport, permanent residence) are not read here: they have no common check.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

_WEIGHTS: Final = tuple(pow(2, 17 - i, 11) for i in range(17))
_CHECK: Final = "10X98765432"
_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]")
_EARLIEST: Final = date(1900, 1, 1)

SENTENCES: Final = {
    "length": "居民身份证号应为 18 位，现为 %(length)d 位。",
    "alphabet": "居民身份证号第 %(position)d 位“%(character)s”不正确：前 17 位为数字，末位为数字或 X。",
    "birth": "居民身份证号第 7–14 位“%(birth)s”不是有效的出生日期。",
    "check": "居民身份证号校验不通过，请逐位核对证件。",
}


class IdentityError(ValueError):
    """A number that breaks the standard. The sentence never repeats the whole number: it may end up in a log."""

    def __init__(self, rule: str, **figures: object) -> None:
        self.rule = rule
        self.sentence = SENTENCES[rule] % figures
        super().__init__(self.sentence)


@dataclass(frozen=True, repr=False)
class Identity:
    """A number that passed. `repr` is masked, so that a traceback shows no identity."""

    text: str
    division: str
    born: date
    is_male: bool

    def __repr__(self) -> str:
        return f"Identity({mask_id(self.text)})"

    def age_on(self, day: date) -> int:
        """Completed years on `day`; a person born on 29 February completes the year on 1 March of a common year."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


def normalise(text: str) -> str:
    """Half-width, upper case, without spaces, dashes and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if c.isalnum())


def check_character(first: str) -> str:
    """The 18th character for 17 digits: Σ digit × 2^(18−i) mod 11 → 1 0 X 9 8 7 6 5 4 3 2 (ISO 7064 MOD 11-2)."""
    return _CHECK[sum(int(c) * w for c, w in zip(first, _WEIGHTS, strict=True)) % 11]


def birth_date(digits: str) -> date | None:
    """The date of eight digits YYYYMMDD, or None when there is no such day or it is before 1900."""
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return born if born >= _EARLIEST else None


def parse(text: str, *, on: date | None = None) -> Identity:
    """Read a number as typed. Raises IdentityError (rule length, alphabet, birth or check).

    on: a day (Shanghai) the birth may not lie after; None leaves that unchecked.
    """
    number = normalise(text)
    if len(number) != 18:
        raise IdentityError("length", length=len(number))
    if not _SHAPE.fullmatch(number):
        at = next(i for i, c in enumerate(number) if c not in ("0123456789X" if i == 17 else "0123456789"))
        raise IdentityError("alphabet", position=at + 1, character=number[at])
    born = birth_date(number[6:14])
    if born is None or (on is not None and born > on):
        raise IdentityError("birth", birth=number[6:14])
    if number[17] != check_character(number[:17]):
        raise IdentityError("check")
    return Identity(number, number[:6], born, int(number[16]) % 2 == 1)


def is_valid(text: str) -> bool:
    """Whether `parse` would accept it."""
    try:
        parse(text)
    except IdentityError:
        return False
    return True


def mask_name(name: str) -> str:
    """张三 → 张*. One star whatever the length: the length of a given name helps to guess it. Empty stays empty."""
    name = name.strip()
    return f"{name[0]}*" if name else ""


def mask_phone(phone: str) -> str:
    """13812345678 → 138****5678; a landline keeps its first three and last two digits; anything shorter is hidden whole."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", phone) if c.isdigit())
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) == 11 and digits.startswith("1"):
        return f"{digits[:3]}****{digits[-4:]}"
    return f"{digits[:3]}****{digits[-2:]}" if len(digits) >= 10 else "*" * len(digits)


def mask_id(number: str) -> str:
    """First three and last four characters; the rest are stars, as many as there were. Short numbers are hidden whole."""
    text = normalise(number)
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}" if len(text) >= 15 else "*" * len(text)


def mask_bank(account: str) -> str:
    """Only the last four digits: **** 1234. Fewer than eight digits are hidden whole."""
    digits = normalise(account)
    return f"**** {digits[-4:]}" if len(digits) >= 8 else "****"


def mask_email(address: str) -> str:
    """zhang@example.org → z***@example.org."""
    local, at, host = address.partition("@")
    return f"{local[:1]}***{at}{host}"


def folded(value: str, *, digits: bool = False) -> str:
    """A particular as it is compared with another's: full width, case and blanks do not matter; of numbers only the digits count."""
    text = "".join(c for c in unicodedata.normalize("NFKC", value) if not c.isspace()).casefold()
    return "".join(c for c in text if c.isdigit()) if digits else text
