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
BUNDLE: Final = "bidding/age.min.js"
PROGRAM: Final = (
    BUNDLE, "bidding/budget-rules.js", "bidding/budget.js", "bidding/ceremony.js", "bidding/ceremony-pages.js",
    "bidding/sealed-carried.js", "bidding/sealed-check.js", "bidding/sealed-draft.js", "bidding/sealed-files.js", "bidding/sealed.js",
    "bidding/sealing.js", "bidding/zip.js",
    "web/answers.js", "web/counter.js", "web/decimal.js", "web/local-copy.js", "web/money.js", "web/paste.js", "web/pasting.js", "web/rows.js", "web/words.js",
)  # fmt: skip
"""The program of bidders' and officers' pages, with everything that it imports, in the order in which the scripts are read out for the fingerprint."""
HERE: Final = Path(__file__).parent
FOLDERS: Final = {"bidding": HERE / "static", "web": HERE.parent / "grants" / "web" / "static"}


def content_of(name: str) -> bytes:
    """A script by its place among the static files, e.g. "bidding/zip.js"."""
    return (FOLDERS[name.split("/", maxsplit=1)[0]] / name).read_bytes()


@cache
def fingerprint() -> str:
    """SHA-256 (hex) of all scripts one after the other: `cat age.min.js … words.js | sha256sum`."""
    return hashlib.sha256(b"".join(content_of(name) for name in PROGRAM)).hexdigest()


@cache
def listed() -> str:
    """The scripts in the order of the fingerprint, each with its SHA-256, and how anybody makes it again. Text of `sha256sum`'s shape."""
    rows = (f"{hashlib.sha256(content_of(name)).hexdigest()}  {name}\n" for name in PROGRAM)
    return f"{''.join(rows)}# cat {' '.join(PROGRAM)} | sha256sum\n{fingerprint()}\n"


@cache
def integrity(name: str) -> str:
    """What a page demands of a script, in the form of the `integrity` attribute. The bundle's is the pinned one, whatever lies on the disk."""
    return SRI if name == BUNDLE else sri(content_of(name))


def sri(content: bytes) -> str:
    """The `integrity` attribute of these bytes."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def address(name: str) -> str:
    """Where a script is served: the plain address by which the scripts import one another, because only that one is checked."""
    return f"{settings.STATIC_URL}{name}"


def import_map() -> str:
    """The text of a page's import map: every script of the program by its address, with the hash that it must have however it is imported.

    It is the one inline script of the site, because a browser takes import maps in no other form; it holds no code.
    """
    return json.dumps({"integrity": {address(name): integrity(name) for name in PROGRAM}}, separators=(",", ":")).replace("<", "\\u003c")


def policy() -> str:
    """The site's content policy with leave for exactly this import map."""
    allowed = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    return str(settings.CONTENT_SECURITY_POLICY).replace("script-src 'self'", f"script-src 'self' 'sha256-{allowed}'")
