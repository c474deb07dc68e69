"""Streets as they are named in addresses, in offices' names and by residents. Pure."""

from __future__ import annotations

import re
from typing import Final

DISTRICT_WIDE: Final = "全区"
"""Where a need or a project concerns no street in particular."""

_STREET: Final = re.compile(r"([^\s省市区县旗，,、；;（(]{2,8}?(?:街道|镇|乡))")


def street_of(text: str) -> str:
    """The street (街道), town or township named in `text`; "" when none is: 澄江市云溪区望湖街道办事处 → 望湖街道."""
    found = _STREET.search(text)
    return found[1] if found else ""
