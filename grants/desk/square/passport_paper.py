"""履约护照 on paper: a PDF that carries the signed file, and a code that says the gist of it under a signature of its own.

The code is one line of lower-case text, so that it can be scanned or typed at `/verify/`:
    passport:<organisation>:<issued, POSIX seconds>:<projects>:<sum in 分>:<SHA-256 of what the file signs>:<key id and Ed25519 signature in hex>
Signed is a note of two lines, the first of which no passport and no checkpoint begins with.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from grants import clock
from grants.desk.square import passport
from grants.documents.pdf import render_pdf
from grants.documents.qr import qr_code
from grants.ledger import keys
from grants.ledger.note import DASH, BadNote, open_note, sign, signature_lines
from grants.money import total
from grants.people.models import Organisation

FORMAT = "gongchuang-passport-paper/1"
SUFFIX = ".passport.json"
LINE = re.compile(r"passport:([0-9a-f-]{36}):(\d{1,12}):(\d{1,6}):(\d{1,15}):([0-9a-f]{64}):([0-9a-f]{136})")


@dataclass(frozen=True)
class Gist:
    """What a code says. digest: of the text that the passport's own signature covers."""

    organisation: str
    issued_at: datetime
    projects: int
    amount: Decimal
    digest: str


def paper(organisation: Organisation) -> bytes:
    """The passport of today as PDF/A with the signed file inside; half a second. Raises KeyMissing."""
    file = passport.issue(organisation)
    told = json.loads(file)["passport"]
    issued = datetime.fromisoformat(told["issued_at"])
    line = line_of(told)
    rows = [{**row, "amount": Decimal(row["amount"])} for row in told["projects"]]
    context = {
        "told": told, "rows": rows, "issued_at": issued, "total": _sum(told), "keys": [str(v) for v in keys.verifiers()], "issuer": keys.origin(), "line": line,
        "qr": qr_code(line, label=_("履约护照的签名")), "digest": line.split(":")[5],
    }  # fmt: skip
    return render_pdf(
        "documents/passport.html", context, identifier=f"passport:{organisation.pk}:{told['issued_at']}", issued_on=issued.astimezone(clock.TZ).date(),
        attachments={f"{organisation.pk}{SUFFIX}": file},
    )  # fmt: skip


def line_of(told: Mapping[str, Any]) -> str:
    """The code of a passport's content, signed now. Raises KeyMissing."""
    issued = int(datetime.fromisoformat(told["issued_at"]).timestamp())
    fen = int(_sum(told) * 100)
    said = f"{told['organisation']['pk']}:{issued}:{len(told['projects'])}:{fen}:{sha256(passport.signed_text(told).encode()).hexdigest()}"
    note = sign(f"{FORMAT}\n{said}\n", keys.origin(), keys.signing_key())
    ((_line, _name, signature),) = signature_lines(note)
    return f"passport:{said}:{signature.hex()}"


def read(line: str) -> Gist | None:
    """What a code says, if it is one and ours. None for any other text; raises BadNote for a code that we did not sign."""
    found = LINE.fullmatch(line)
    if found is None:
        return None
    said, signature = line.removeprefix("passport:").rsplit(":", 1)
    text = f"{FORMAT}\n{said}\n"
    open_note(f"{text}\n{DASH}{keys.origin()} {base64.b64encode(bytes.fromhex(signature)).decode()}\n", keys.verifiers())
    return Gist(found[1], datetime.fromtimestamp(int(found[2]), clock.TZ), int(found[3]), Decimal(found[4]) / 100, found[5])


def inside(content: bytes) -> bytes | None:
    """The signed file that a printed passport carries; None for anything else, a broken PDF too."""
    if not content.startswith(b"%PDF"):
        return None
    try:
        for name, versions in PdfReader(io.BytesIO(content)).attachments.items():
            if name.endswith(SUFFIX) and len(versions) == 1:
                return bytes(versions[0])
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, NotImplementedError, OSError):
        return None
    return None


def _sum(told: Mapping[str, Any]) -> Decimal:
    return total([Decimal(row["amount"]) for row in told["projects"]])


__all__ = ["FORMAT", "LINE", "BadNote", "Gist", "inside", "line_of", "paper", "read"]
