"""What an organisation says about itself, tidied and checked. Shared by the form, the services and the import of rosters.

Tidying never loses anything: full-width becomes half-width, blanks at the ends go, a credit code is brought to capitals.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from grants.people import uscc

IDENTITY: Final = (
    "kind_of_body", "name", "uscc", "uscc_disputed", "record_no", "registered_on", "registrar", "legal_representative",
    "certificate",
)  # fmt: skip
"""登记信息: what the registrar verifies; changing it needs a new verification."""
CONTACT: Final = ("phone", "address", "district", "field", "full_time_staff", "business_scope")
"""Free to change at any time."""
UNREGISTERED: Final = frozenset({"recorded", "team", "committee"})
"""Kinds that may lack a credit code (domain §3.4)."""

Problems = dict[str, list[str]]


def tidy(text: str) -> str:
    """Half-width letters and digits, single spaces, none at the ends; Chinese punctuation stays as it is typed."""
    wide = (unicodedata.normalize("NFKC", c) if "\uff10" <= c <= "\uff5a" and c.isalnum() else c for c in text)
    return " ".join("".join(wide).split())


def clean(values: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Tidied values and, per field, what is wrong with them. Only the fields given are looked at."""
    tidied = {name: tidy(value) if isinstance(value, str) else value for name, value in values.items()}
    problems: Problems = {}
    if "uscc" in tidied:
        tidied["uscc"] = uscc.normalise(tidied["uscc"] or "") or None
        _check_code(tidied, problems)
    for name in ("name", "legal_representative", "phone", "address"):
        if name in tidied and not tidied[name]:
            problems[name] = [_("这一项必须填写。")]
    return tidied, problems


def _check_code(values: dict[str, Any], problems: Problems) -> None:
    """A failing check character may be claimed to be what the certificate shows; a wrong length or letter may not."""
    if values["uscc"] is None:
        values["uscc_disputed"] = False
        if values.get("kind_of_body") not in UNREGISTERED | {None}:
            problems["uscc"] = [
                _("请填写登记证书上的 18 位统一社会信用代码；没有登记的团队请选择“备案类社区社会组织”或“居民团队”。")
            ]
        return
    try:
        uscc.parse(values["uscc"])
        values["uscc_disputed"] = False
    except (uscc.WrongCheckCharacter, uscc.WrongOrganisationCode) as wrong:
        if not values.get("uscc_disputed"):
            way_out = _("确与证书一致的，请勾选“与证书一致”并上传证书，由登记机关核对。")
            problems["uscc"] = [wrong.sentence + way_out]
    except uscc.CreditCodeError as wrong:
        problems["uscc"] = [wrong.sentence]


def clean_account(number: str) -> tuple[str, list[str]]:
    """A bank account number: digits only (spaces and dashes are taken out), 8 to 32 of them."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", number) if not c.isspace() and c not in "-—")
    if not digits.isascii() or not digits.isdigit():
        return digits, [_("银行账号只能是数字，请核对是否误输入了字母或汉字。")]
    if not 8 <= len(digits) <= 32:
        return digits, [_("银行账号应为 8 至 32 位数字，现为 %(n)d 位。") % {"n": len(digits)}]
    return digits, []
