"""What a bidder writes on a computer without the site: an answers file (TOML or JSON) and the attachments beside it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bidding.sealing.refusals import SealRefused

SHAPES: Final[Mapping[str, type]] = {"answers": dict, "pledges": list, "attachments": list}


def read(path: Path) -> dict[str, Any]:
    """{"answers", "pledges", "attachments"}, each there. Raises SealRefused("format"), OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        told = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as wrong:
        raise SealRefused("format", path.name) from wrong
    if not isinstance(told, dict) or not all(isinstance(told.get(part, shape()), shape) for part, shape in SHAPES.items()):
        raise SealRefused("format", path.name)
    return {part: told.get(part, shape()) for part, shape in SHAPES.items()}


def attached(folder: Path, rows: Sequence[Any]) -> dict[str, bytes]:
    """ "<item>/<file name>" → bytes; files are looked for from the folder of the answers. Raises SealRefused("format"), OSError."""
    try:
        return {f"{row['item']}/{Path(row['file']).name}": (folder / row["file"]).read_bytes() for row in rows}
    except (KeyError, TypeError) as wrong:
        raise SealRefused("format", "attachments") from wrong
