"""What an expert reads: the frozen version of a bid, made ready for a page. Nothing of the working copy, nothing of other bids.

Personal data are masked: names of the team keep the family name, numbers of people keep their ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from grants.web.masking import mask_bank, mask_id, mask_name, mask_phone


def readable(content: Mapping[str, Any]) -> dict[str, Any]:
    """A frozen document with each answer as text (`shown`) or, for tables, as `rows` of cells in column order; {} stays {}."""
    if not content:
        return {}
    sections = [{**s, "fields": [_ready(f) for f in s["fields"]]} for s in content.get("sections", ())]
    team = [{**m, "name": mask_name(m["name"])} for m in content.get("team", ())]
    return {**content, "sections": sections, "team": team}


NUMBERS = re.compile(r"(?<![0-9])(?:(?P<id>[0-9]{17}[0-9Xx])|(?P<bank>[0-9]{16,19})|(?P<phone>1[3-9][0-9]{9}))(?![0-9Xx])")


def masked(text: str) -> str:
    """Identity, bank and mobile numbers that somebody wrote into an answer, masked: an expert needs none of them."""
    return NUMBERS.sub(lambda m: {"id": mask_id, "bank": mask_bank, "phone": mask_phone}[m.lastgroup or "id"](m.group()), text)


def _ready(item: Mapping[str, Any]) -> dict[str, Any]:
    value = item["value"]
    if item["kind"] == "table":
        codes = [c["code"] for c in item.get("columns", ())]
        return {**item, "rows": [[_text(row.get(code)) for code in codes] for row in value or ()]}
    return {**item, "shown": _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list | tuple):
        return masked("、".join(map(str, value)))
    return "" if value is None else masked(str(value))
