"""Two windows on one score sheet: a three-way merge, field by field, that overwrites nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Merged:
    """content: what is kept now. clashes: field → the text kept there by the other window, where both changed it differently."""

    content: dict[str, str]
    clashes: dict[str, str]


def merge(base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merged:
    """What I typed on top of `base`, laid over what stands now. A field only I changed is mine, one only they changed is theirs.

    Changed by both to the same text is no clash; to different texts, theirs stands and the clash is told. A missing field is empty;
    a field that I did not send at all is left as it stands.
    """
    content, clashes = dict(theirs), {}
    for field, text in mine.items():
        before, now = base.get(field, ""), theirs.get(field, "")
        if text in (before, now):
            continue
        if now == before:
            content[field] = text
        else:
            clashes[field] = now
    return Merged({field: text for field, text in content.items() if text != ""}, clashes)
