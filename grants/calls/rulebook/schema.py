"""The JSON Schema (draft 2020-12) of `call/1`, for editors and for anybody who wants to check a file without us."""

from __future__ import annotations

import json
from typing import Any

from grants.calls.rulebook.model import CallRules

IDENTIFIER = "urn:gongchuang:schema:call/1"


def json_schema() -> dict[str, Any]:
    """The schema as JSON types; keys appear as files write them, absent options are left out and never null."""
    schema = _without_null(CallRules.model_json_schema(by_alias=True, mode="validation"))
    schema["required"] = [name for name in schema["required"] if name != "retention"]
    schema["$defs"]["Retention"]["required"] = []
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": IDENTIFIER, **schema}


def as_text() -> str:
    """The schema as indented JSON with a final newline."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def _without_null(node: Any) -> Any:
    """TOML has no null: an optional value is one that is not written."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _without_null(each) for key, each in node.items() if not (key == "default" and each is None)}
    options = [each for each in cleaned.get("anyOf", []) if each != {"type": "null"}]
    if len(options) == len(cleaned.get("anyOf", [])):
        return cleaned
    rest = {key: each for key, each in cleaned.items() if key != "anyOf"}
    return {**options[0], **rest} if len(options) == 1 else {**rest, "anyOf": options}
