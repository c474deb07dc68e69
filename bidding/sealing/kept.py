"""投标留存包 as one ZIP: `manifest.json` (the very bytes that were sealed) and `attachments/<name in the manifest>`.

The browser writes the same; any archiver opens it. Stored without compression: what is in it is compressed already.
"""

from __future__ import annotations

from typing import Final

from bidding.sealing.envelope import MANIFEST, KeptCopy
from bidding.sealing.refusals import SealRefused
from grants import archives

INSIDE: Final = f"{MANIFEST}.json"
BELOW: Final = "attachments/"
MOST_BYTES: Final = 512 * 1024 * 1024


def pack(copy: KeptCopy) -> bytes:
    """The ZIP; the same copy gives the same bytes."""
    return archives.packed([(INSIDE, copy.manifest), *((BELOW + name, content) for name, content in copy.attachments.items())])


def unpack(content: bytes) -> KeptCopy:
    """The copy in a ZIP, read in memory: names are never paths. Raises SealRefused("format" | "missing")."""
    try:
        files = archives.contents(content, MOST_BYTES)
    except archives.Unreadable as wrong:
        raise SealRefused("format", "ZIP") from wrong
    if INSIDE not in files:
        raise SealRefused("missing", INSIDE)
    return KeptCopy(files.pop(INSIDE), {name.removeprefix(BELOW): data for name, data in files.items() if name.startswith(BELOW)})
