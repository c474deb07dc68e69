"""Writing and reading the log. `record` is one INSERT in the transaction of the change (two with a private payload)."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock
from grants.ledger import canonical, personal, statements
from grants.ledger.errors import LedgerBroken, NotRecordable, OutsideTransaction
from grants.ledger.models import AuditEvent, AuditPayload, stored_bytes

VERSION = 1
LONGEST_LEAF = 65_535  # bytes: what a C2SP log tile can carry, so that the log can be published as tiles one day
LONGEST_EVENT, LONGEST_NAME = 80, 120  # characters: the columns of AuditEvent
SALT_BYTES = 32

_ACTOR = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z_-]{0,31}")
_COLUMNS = ("id", "leaf", "uid", "subject", "scope", "event", "at")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One event, read back for a timeline. at: aware, UTC; private: None when there was none or it was erased (see `erased`)."""

    id: int
    uid: str
    at: datetime
    event: str
    actor: str
    role: str
    subject: str
    scope: str
    verb: str
    source: str
    target: str
    files: Mapping[str, str]
    public: Mapping[str, Any]
    private: Mapping[str, Any] | None
    erased: bool


def record(
    *,
    event: str,
    actor: str,
    role: str,
    subject: str,
    scope: str = "",
    verb: str = "",
    source: str = "",
    target: str = "",
    files: Mapping[str, str] | None = None,
    public: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write one event in the present transaction and return its row.

    event: e.g. "bid.submit"; actor: a pseudonym UUID or a word such as "system"; subject, scope: e.g. "bid:<uuid>"; source,
    target: states. files: name → SHA-256 in hex. public: in the clear for ever (text, integers, bool, None, lists, mappings;
    no floats, no personal data). private: same kinds, kept apart and erasable; the leaf holds its salted commitment.
    Raises OutsideTransaction, NotRecordable; either way nothing was written.
    """
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction
    at, uid = clock.now(), uuid.uuid4()
    _check_names(event=event, actor=actor, role=role, subject=subject, scope=scope, verb=verb, source=source, target=target)
    _check_files(files or {})
    salt, body = (b"", None) if private is None else (secrets.token_bytes(SALT_BYTES), _encoded(private, "private"))
    leaf = {
        "v": VERSION, "id": str(uid), "at": rfc3339(at), "event": event, "actor": actor, "role": role, "subject": subject,
        "scope": scope, "verb": verb, "from": source, "to": target, "files": files or {}, "public": public or {},
        "commit": None if body is None else commitment(salt, body),
    }  # fmt: skip
    row = _inserted(_leaf_bytes(leaf), uid, subject, scope, event, at)
    if body is not None:
        statements.insert_payload(transaction.get_connection(), row.pk, salt, body)
    return row


def history(subject: str) -> list[Entry]:
    """Everything recorded about `subject`, oldest first. One query."""
    rows = AuditEvent.objects.filter(subject=subject).select_related("payload").order_by("id")
    return [entry_of(row) for row in rows]


def erase(event_id: int, *, actor: str, role: str, ground: str) -> AuditEvent:
    """Erase the private payload of one event (个人信息保护法 §47) and record that it was done, by whom and on which ground.

    The log stays valid: the leaf keeps the commitment. Raises ObjectDoesNotExist when there is no payload, OutsideTransaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction
    payload = AuditPayload.objects.select_related("event").get(event_id=event_id)
    about = payload.event
    payload.delete()
    return record(
        event="ledger.erase", actor=actor, role=role, subject=about.subject, scope=about.scope, verb="erase",
        public={"event": str(about.uid), "ground": ground},
    )  # fmt: skip


def entry_of(row: AuditEvent) -> Entry:
    """The Entry of a row; its `payload` should have been selected with it. Raises LedgerBroken for bytes that are no entry."""
    payload = _payload_of(row)
    try:
        leaf = json.loads(stored_bytes(row.leaf))
        private = None if payload is None else json.loads(stored_bytes(payload.body))
    except ValueError as wrong:
        raise LedgerBroken(_("台账事件 %(id)s 已读不出,请运行 manage.py ledger verify。") % {"id": row.pk}) from wrong
    return Entry(
        id=row.pk, uid=leaf["id"], at=row.at, event=leaf["event"], actor=leaf["actor"], role=leaf["role"],
        subject=leaf["subject"], scope=leaf["scope"], verb=leaf["verb"], source=leaf["from"], target=leaf["to"],
        files=leaf["files"], public=leaf["public"],
        private=private,
        erased=leaf["commit"] is not None and payload is None,
    )  # fmt: skip


def commitment(salt: bytes, body: bytes) -> str:
    """SHA-256(salt || body) in hex: binds the log to a payload without giving it away."""
    return sha256(salt + body).hexdigest()


def rfc3339(moment: datetime) -> str:
    """UTC with microseconds and Z, always 27 characters."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _payload_of(row: AuditEvent) -> AuditPayload | None:
    try:
        return row.payload
    except ObjectDoesNotExist:
        return None


def _check_names(**names: str) -> None:
    for field, value in names.items():
        if not isinstance(value, str):
            raise NotRecordable(field, f"{type(value).__name__} is not text")
        if not value and field in {"event", "actor", "subject"}:
            raise NotRecordable(field, "must not be empty")
        longest = LONGEST_EVENT if field == "event" else LONGEST_NAME
        if len(value) > longest:
            raise NotRecordable(field, f"longer than {longest} characters")
    if not _ACTOR.fullmatch(names["actor"]):
        raise NotRecordable(
            "actor", 'use the person\'s random pseudonym (a UUID) or a word such as "system"; never a name or a number'
        )


def _check_files(files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        if not isinstance(digest, str) or not _HASH.fullmatch(digest):
            raise NotRecordable(f"files.{name}", "not a SHA-256 in 64 lower-case hex digits")


def _refuse_personal(leaf: Mapping[str, Any]) -> None:
    for path, kind in personal.found_in(leaf, ""):
        raise NotRecordable(
            path.lstrip("."), f"holds what looks like a personal number ({kind}); put it into `private`, which can be erased"
        )


def _encoded(value: Any, field: str) -> bytes:
    try:
        return canonical.encode(value, field)
    except canonical.NotCanonical as wrong:
        raise NotRecordable(wrong.path, str(wrong).partition(": ")[2]) from wrong


def _inserted(leaf: bytes, uid: uuid.UUID, subject: str, scope: str, event: str, at: datetime) -> AuditEvent:
    connection = transaction.get_connection()
    key = uid if connection.features.has_native_uuid_field else uid.hex
    values = [leaf, key, subject, scope, event, connection.ops.adapt_datetimefield_value(at)]
    number = statements.insert_event(connection, values)
    return AuditEvent.from_db(connection.alias, _COLUMNS, [number, leaf, uid, subject, scope, event, at])


def _leaf_bytes(leaf: Mapping[str, Any]) -> bytes:
    raw = _encoded(leaf, "")
    if personal.perhaps(raw.decode()):
        _refuse_personal(leaf)
    if len(raw) > LONGEST_LEAF:
        raise NotRecordable(
            "public", f"the entry has {len(raw)} bytes, at most {LONGEST_LEAF} fit; store a file and record its hash"
        )
    return raw
