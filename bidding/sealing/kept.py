"""投标留存包 as one ZIP: `manifest.json` (the very bytes that were sealed) and `attachments/<name in the manifest>`.

The browser writes the same; any archiver opens it. Stored without compression: what is in it is compressed already.
"""

from __future__ import annotations

import io
import zipfile
from typing import Final

from bidding.sealing.envelope import MANIFEST, KeptCopy
from bidding.sealing.refusals import SealRefused

INSIDE: Final = f"{MANIFEST}.json"
BELOW: Final = "attachments/"
MOST_BYTES: Final = 512 * 1024 * 1024
EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def pack(copy: KeptCopy) -> bytes:
    """The ZIP; the same copy gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in ((INSIDE, copy.manifest), *((BELOW + n, c) for n, c in copy.attachments.items())):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return out.getvalue()


def unpack(content: bytes) -> KeptCopy:
    """The copy in a ZIP, read in memory: names are never paths. Raises SealRefused("format" | "missing")."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise SealRefused("format", "ZIP")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError) as wrong:
        raise wrong if isinstance(wrong, SealRefused) else SealRefused("format", "ZIP") from wrong
    if INSIDE not in files:
        raise SealRefused("missing", INSIDE)
    return KeptCopy(files.pop(INSIDE), {name.removeprefix(BELOW): data for name, data in files.items() if name.startswith(BELOW)})
