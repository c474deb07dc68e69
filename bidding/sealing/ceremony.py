"""The key of a call: made once, kept only as shares, and proved in a rehearsal before anybody can bid.

A share belongs to one group of exactly M officers and is sealed to them one after the other, the last of the group outermost, so that it is opened
by hand with nothing but the stock command: `age -d -i B.key share.age | age -d -i A.key`. There are C(N, M) shares: 3 for 2 of 3, 10 for 3 of 5.
Shamir's scheme would need fewer bytes and code that nobody has audited here.

*Dealer*: the machine that runs `make_call_key` has the secret in memory once. Use one that is offline, and say so in the call.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from pyrage.x25519 import Identity

from bidding.sealing import SUITE
from bidding.sealing.keys import Officer, open_with, public_half, seal_to
from bidding.sealing.refusals import SealRefused

FORMAT: Final = "gongchuang-seal-key/1"
LEAST, MOST = 2, 5
Group = tuple[str, ...]
"""Names of the officers of one share, in the order in which the ceremony names them; the last one opens first."""


@dataclass(frozen=True)
class CallKey:
    """What a ceremony leaves: everything here is public, the secret is in nothing but the shares.

    recipient: what bids are sealed to. shares: group → age file. test: the rehearsal's envelope; test_hash: SHA-256 (hex) of what is in it.
    """

    call: str
    threshold: int
    officers: tuple[Officer, ...]
    recipient: str
    shares: Mapping[Group, bytes]
    test: bytes
    test_hash: str

    def record(self) -> dict[str, Any]:
        """JSON types for the call's page and the log: names, recipients, and the SHA-256 of every share."""
        return {
            "format": FORMAT,
            "suite": SUITE,
            "call": self.call,
            "threshold": self.threshold,
            "officers": [{"name": o.name, "recipient": o.recipient} for o in self.officers],
            "recipient": self.recipient,
            "shares": [{"officers": list(group), "sha256": hashlib.sha256(blob).hexdigest()} for group, blob in self.shares.items()],
            "test": {"sha256": hashlib.sha256(self.test).hexdigest(), "content": self.test_hash},
        }

    def share_of(self, names: Iterable[str]) -> tuple[Group, bytes]:
        """The share of exactly these officers. Raises SealRefused("no_share")."""
        wanted = set(names)
        for group, blob in self.shares.items():
            if set(group) == wanted:
                return group, blob
        raise SealRefused("no_share", "、".join(sorted(wanted)))


def groups(officers: Sequence[Officer], threshold: int) -> Iterator[tuple[Officer, ...]]:
    """Every group of `threshold` officers. Raises SealRefused("officers") for numbers or keys that cannot work."""
    keys, names = {o.recipient for o in officers}, {o.name for o in officers}
    if not LEAST <= threshold <= len(officers) <= MOST or len(keys) < len(officers) or len(names) < len(officers):
        raise SealRefused("officers", n=len(officers), m=threshold)
    return combinations(officers, threshold)


def make_call_key(call: str, officers: Sequence[Officer], threshold: int = 2) -> CallKey:
    """Make a call's key pair, its shares and the test envelope; the secret is gone when this returns.

    Raises SealRefused("officers" | "recipient").
    """
    chosen = list(groups(officers, threshold))
    identity = Identity.generate()
    recipient = str(identity.to_public())
    shares = {tuple(o.name for o in group): _nested(str(identity).encode(), group) for group in chosen}
    content = secrets.token_bytes(32)
    return CallKey(call, threshold, tuple(officers), recipient, shares, seal_to(content, recipient), hashlib.sha256(content).hexdigest())


def _nested(secret: bytes, group: Sequence[Officer]) -> bytes:
    for officer in group:
        secret = seal_to(secret, officer.recipient)
    return secret


def peel(blob: bytes, secret: str, *, name: str = "") -> bytes:
    """Take one officer's layer off a share: the last officer of the group first. Raises SealRefused("wrong_key" | "damaged")."""
    return open_with(blob, secret, name=name)


def recover(key: CallKey, officers: Mapping[str, str]) -> str:
    """The call's secret key, from the secrets of one whole group (name → `AGE-SECRET-KEY-1…`). Keep it in memory only.

    Raises SealRefused: "no_share", "wrong_key", "damaged", or "identity" when the share held another key than the one published.
    """
    group, blob = key.share_of(officers)
    for name in reversed(group):
        blob = peel(blob, officers[name], name=name)
    secret = blob.decode("ascii", "replace")
    if public_half(secret, name=key.call) != key.recipient:
        raise SealRefused("identity", key.call)
    return secret


def rehearse(key: CallKey, officers: Mapping[str, str]) -> Group:
    """演练开标: one group opens the test envelope; returns the group. Raises SealRefused as `recover`, or "rehearsal"."""
    content = open_with(key.test, recover(key, officers), name=key.call)
    group, _blob = key.share_of(officers)
    if hashlib.sha256(content).hexdigest() != key.test_hash:
        raise SealRefused("rehearsal", "、".join(group))
    return group


def unrehearsed(key: CallKey, done: Iterable[Iterable[str]]) -> list[Group]:
    """Groups that have not yet opened the test envelope: a call opens for bids only when this is empty."""
    proved = {frozenset(group) for group in done}
    return [group for group in key.shares if frozenset(group) not in proved]
