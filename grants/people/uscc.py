"""统一社会信用代码: the 18 characters of GB 32100-2015, and the organisation code of GB 11714 inside them.

    [1] registering department  [2] class of entity  [3–8] administrative division  [9–17] organisation code  [18] check character

A passing check proves the form of a code, never that the organisation exists: existence is confirmed by a clerk. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters, values 0…30; I, O, S, V and Z are left out by the standard because they look like 1, 0, 5, U and 2."""
LENGTH: Final = 18
_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_LOOK_ALIKE: Final = {"I": "1", "O": "0", "S": "5", "V": "U", "Z": "2"}
_SEPARATORS: Final = frozenset("-‐‑‒–—_.·")  # the dashes people really type
_WINDOW: Final = re.compile(rf"(?=([{ALPHABET}]{{{LENGTH}}}))")

DEPARTMENTS: Final = {
    "1": "机构编制", "2": "外交", "3": "司法行政", "4": "文化", "5": "民政", "6": "旅游", "7": "宗教", "8": "工会",
    "9": "市场监管", "A": "中央军委改革和编制", "N": "农业", "Y": "其他",
}  # fmt: skip
CLASSES: Final = {
    "11": "机关", "12": "事业单位", "13": "编办直接管理机构编制的群众团体", "19": "其他机构编制",
    "51": "社会团体", "52": "民办非企业单位", "53": "基金会", "59": "其他民政登记机构",
    "91": "企业", "92": "个体工商户", "93": "农民专业合作社",
}  # fmt: skip

SENTENCES: Final = {
    "length": "统一社会信用代码应为 18 位，现为 %(length)d 位。",
    "alphabet": (
        "统一社会信用代码第 %(position)d 位“%(character)s”不是允许的字符（只用数字和除 I、O、S、V、Z 以外的大写字母）%(hint)s。"
    ),
    "check": "统一社会信用代码校验不通过：按前 17 位计算，第 18 位应为“%(expected)s”，现为“%(character)s”，请逐位核对证书。",
    "organisation": (
        "统一社会信用代码中的组织机构代码（第 9–17 位）校验不通过：第 17 位应为“%(expected)s”，现为“%(character)s”，请逐位核对证书。"
    ),
}


class CreditCodeError(ValueError):
    """A code that breaks the standard. `rule` is stable, `position` counts from 1 (0: the whole), `sentence` is Chinese."""

    rule = "credit_code"

    def __init__(self, code: str, *, position: int = 0, **figures: object) -> None:
        self.code = code
        self.position = position
        self.sentence = SENTENCES[self.rule] % {"position": position, **figures}
        super().__init__(self.sentence)


class WrongLength(CreditCodeError):
    """Not 18 characters."""

    rule = "length"


class WrongCharacter(CreditCodeError):
    """A character outside the alphabet; the sentence names the position and the likely intended character."""

    rule = "alphabet"


class WrongCheckCharacter(CreditCodeError):
    """The 18th character does not follow from the first 17 (GB 32100)."""

    rule = "check"


class WrongOrganisationCode(CreditCodeError):
    """The 17th character does not follow from characters 9–16 (GB 11714)."""

    rule = "organisation"


@dataclass(frozen=True)
class CreditCode:
    """A code that passed both checks, in its parts."""

    text: str
    department: str
    entity_class: str
    division: str
    organisation: str

    @property
    def department_name(self) -> str:
        """The registering department in Chinese; empty where the character is unknown."""
        return DEPARTMENTS.get(self.department, "")

    @property
    def class_name(self) -> str:
        """The class of entity in Chinese; empty where the pair is unknown."""
        return CLASSES.get(self.department + self.entity_class, "")

    @property
    def is_social_organisation(self) -> bool:
        """Whether civil affairs registered it as 社会团体, 民办非企业单位 or 基金会."""
        return self.department == "5" and self.entity_class in {"1", "2", "3"}


def normalise(text: str) -> str:
    """What was meant by what was typed: half-width, upper case, without spaces, invisible characters and dashes."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if not c.isspace() and c not in _SEPARATORS and unicodedata.category(c) != "Cf")


def check_character(first: str) -> str:
    """The 18th character for the first 17. Raises WrongLength or WrongCharacter.

    C18 = A[(31 − Σ Ci·Wi mod 31) mod 31], Wi = 3^(i−1) mod 31. The outer mod matters: without it a remainder of 0 points past
    the alphabet, and codes that end in 0 are wrongly refused.
    """
    if len(first) != LENGTH - 1:
        raise WrongLength(first, length=len(first))
    return ALPHABET[-sum(v * w for v, w in zip(_values(first), _WEIGHTS, strict=True)) % 31]


def organisation_check(first: str) -> str:
    """The ninth character of an organisation code for its first 8 (0–9, A–Z = 0…35): 11 − Σ mod 11, 10 → X, 11 → 0.

    Raises WrongLength or WrongCharacter (positions as inside the 18 characters).
    """
    if len(first) != len(_ORGANISATION_WEIGHTS):
        raise WrongLength(first, length=len(first))
    for i, c in enumerate(first):
        if not (c.isascii() and (c.isdigit() or c.isupper())):
            raise WrongCharacter(first, position=9 + i, character=c, hint="")
    rest = -sum(int(c, 36) * w for c, w in zip(first, _ORGANISATION_WEIGHTS, strict=True)) % 11
    return "0123456789X"[rest]


def parse(text: str) -> CreditCode:
    """Read a code as typed. Raises WrongLength, WrongCharacter, WrongCheckCharacter or WrongOrganisationCode, in this order."""
    code = normalise(text)
    if len(code) != LENGTH:
        raise WrongLength(code, length=len(code))
    _values(code)
    if code[17] != (expected := check_character(code[:17])):
        raise WrongCheckCharacter(code, position=18, expected=expected, character=code[17])
    if code[16] != (expected := organisation_check(code[8:16])):
        raise WrongOrganisationCode(code, position=17, expected=expected, character=code[16])
    return CreditCode(code, code[0], code[1], code[2:8], code[8:17])


def is_valid(text: str) -> bool:
    """Whether `parse` would accept it."""
    try:
        parse(text)
    except CreditCodeError:
        return False
    return True


def found_in(text: str) -> Iterator[str]:
    """Every valid code in a longer text, as `normalise` writes it: in a sentence, in groups, full-width, beside other numbers.

    Every place where 18 allowed characters begin is tried: two check characters and the register decide, not what stands around them.
    """
    codes = (match.group(1) for match in _WINDOW.finditer(normalise(text)))
    return (code for code in codes if is_valid(code))


def _values(code: str) -> list[int]:
    for i, c in enumerate(code):
        if c not in ALPHABET:
            hint = f"，是否应为“{_LOOK_ALIKE[c]}”？" if c in _LOOK_ALIKE else ""
            raise WrongCharacter(code, position=i + 1, character=c, hint=hint)
    return [ALPHABET.index(c) for c in code]
