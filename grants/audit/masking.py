"""What was handed in, without the persons in it. Pure.

People's names stand where a form asks for people: the team, and answers whose question says so. Numbers are masked wherever they stand
(`grants.people.privacy`). A name in the middle of a sentence cannot be found by a rule and stays: the guide says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grants.people.privacy import masked
from grants.web.masking import mask_name

ASKS = re.compile("姓名|负责人|联系人|法定代表人|督导|讲师|电话|手机|邮箱|身份证|住址|家庭地址|微信")
"""Questions whose answer is a person or how to reach one."""


def bid(content: Mapping[str, Any]) -> dict[str, Any]:
    """`BidVersion.content` without persons: same shape, so that the same programs read it."""
    plain = _numbers(dict(content))
    plain["team"] = [{**m, "name": mask_name(m["name"]), "licence_no": _stars(m["licence_no"])} for m in content["team"]]
    plain["sections"] = [{**s, "fields": [_field(f) for f in s["fields"]]} for s in plain["sections"]]
    plain["attachments"] = [{**a, "name": "", "added_by": ""} for a in plain["attachments"]]  # people put their names into file names
    return plain


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    value, asked = field["value"], str(field["label"])
    if field["kind"] == "table" and isinstance(value, list):
        hidden = {c["code"] for c in field.get("columns", ()) if ASKS.search(str(c["label"]))}
        value = [{k: mask_name(str(v)) if k in hidden and v else v for k, v in row.items()} for row in value]
    elif isinstance(value, str) and value and ASKS.search(asked) and len(value) <= 40:
        value = mask_name(value)
    return {**field, "value": value}


def _numbers(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {k: v if k in ("sha256", "hash", "id") else _numbers(v) for k, v in value.items()}
    return [_numbers(v) for v in value] if isinstance(value, list) else value


def _stars(text: str) -> str:
    return "*" * len(text)
