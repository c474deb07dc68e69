"""浏览器封标程序: the scripts that seal a bid in its writer's browser, and the fingerprint by which anybody compares them.

`age.min.js` is age-encryption with what it needs, bundled by `make assets` from the exact versions in `bidding/assets/package.json`; its hash is
pinned here. Pages name every script with its hash, and a browser does not run a file that was altered on the way or on the disk it is served from.
Against a server that alters the *page* no hash in that page helps: this is why the fingerprint is printed in the call, for others to compare.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

SHA256: Final = "6dd0ae16cbce68de9cea36c011668f8dc50d0bd71aec7db8664b5c5f1043ec8a"
"""Hex, of age.min.js."""
SRI: Final = "sha384-zL5zwJd3S6daqvtk4i+83dueFrQx/c9BZzEaAk6GXLk73cf2ZgFBk30mrnb4AK65"
PROGRAM: Final = ("age.min.js", "sealing.js", "zip.js")
"""Scripts that see what is sealed, in the order in which they are read out for the fingerprint."""
FOLDER: Final = Path(__file__).parent / "static" / "bidding"


@cache
def fingerprint() -> str:
    """SHA-256 (hex) of all scripts one after the other: `cat age.min.js … | sha256sum`."""
    return hashlib.sha256(b"".join((FOLDER / name).read_bytes() for name in PROGRAM)).hexdigest()


@cache
def integrity(name: str) -> str:
    """What a page demands of a script, in the form of the `integrity` attribute. age.min.js: the pinned hash, whatever lies on the disk."""
    return SRI if name == "age.min.js" else sri((FOLDER / name).read_bytes())


def sri(content: bytes) -> str:
    """The `integrity` attribute of these bytes."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def address(name: str) -> str:
    """Where a script is served: the plain address by which the scripts import one another, because only that one is checked."""
    return f"{settings.STATIC_URL}bidding/{name}"


def import_map() -> str:
    """The text of a page's import map: every script of the program by its address, with the hash that it must have however it is imported.

    It is the one inline script of the site, because a browser takes import maps in no other form; it holds no code.
    """
    return json.dumps({"integrity": {address(name): integrity(name) for name in PROGRAM}}, separators=(",", ":")).replace("<", "\\u003c")


def policy() -> str:
    """The site's content policy with leave for exactly this import map."""
    allowed = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    return str(settings.CONTENT_SECURITY_POLICY).replace("script-src 'self'", f"script-src 'self' 'sha256-{allowed}'")
