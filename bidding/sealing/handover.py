"""What a ceremony on an offline machine hands to the site, as one file. Nothing of it is secret: the shares are age files.

    {"format", "record": <call-key.json>, "shares": [{"officers": [names], "blob": base64}], "test": base64}    canonical JSON
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from bidding.sealing import SUITE
from bidding.sealing.ceremony import FORMAT as RECORD_FORMAT
from bidding.sealing.ceremony import CallKey
from bidding.sealing.keys import Officer
from bidding.sealing.refusals import SealRefused
from grants.ledger.canonical import NotCanonical, encode

FORMAT: Final = "gongchuang-seal-handover/1"
NAME: Final = "hand-over.json"
MOST: Final = 400_000
"""Bytes: ten shares of at most five layers are under 50,000."""


def handed(key: CallKey) -> bytes:
    """A ceremony as one file."""
    shares = [{"officers": list(group), "blob": _text(blob)} for group, blob in key.shares.items()]
    return encode({"format": FORMAT, "record": key.record(), "shares": shares, "test": _text(key.test)})


def taken(content: bytes) -> CallKey:
    """The ceremony in such a file, checked against its own record. Raises SealRefused: format, damaged (a share that its record does not know)."""
    try:
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise SealRefused("format", NAME)
        record = told["record"]
        shares = {tuple(map(str, row["officers"])): base64.b64decode(row["blob"], validate=True) for row in told["shares"]}
        key = _key(record, shares, base64.b64decode(told["test"], validate=True))
        same = encode(key.record()) == encode(record)
    except (KeyError, TypeError, ValueError, AttributeError, NotCanonical) as wrong:
        raise wrong if isinstance(wrong, SealRefused) else SealRefused("format", NAME) from wrong
    if not same:
        raise SealRefused("damaged", NAME)
    return key


def _key(record: Mapping[str, Any], shares: Mapping[tuple[str, ...], bytes], test: bytes) -> CallKey:
    if (record["format"], record["suite"]) != (RECORD_FORMAT, SUITE):
        raise SealRefused("format", NAME)
    listed = [tuple(map(str, row["officers"])) for row in record["shares"]]
    for group in listed:
        if group not in shares:
            raise SealRefused("damaged", "、".join(group))
    officers = tuple(Officer(str(o["name"]), str(o["recipient"])) for o in record["officers"])
    ordered = {group: shares[group] for group in listed}
    return CallKey(str(record["call"]), int(record["threshold"]), officers, str(record["recipient"]), ordered, test, str(record["test"]["content"]))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
