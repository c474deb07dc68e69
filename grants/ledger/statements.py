"""The few statements that the log writes for every step of everybody, as SQL of their own.

The ORM took longer to write such a row than the database to carry it out. On PostgreSQL a statement that comes again on the same connection
is prepared by the server and planned once: a third less work on both sides. It is not prepared where somebody listens to the statements
(debugging, a test that counts them), nor behind a pooler that lends connections by the transaction (`DISABLE_SERVER_SIDE_CURSORS`,
as Django asks for there): the prepared statement would be on another connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

AFTER = 2  # times that a connection runs a statement before it is prepared: a request that writes one event need not pay for it
ROWS = 500  # of one INSERT
_EVENT = "INSERT INTO ledger_auditevent (leaf, uid, subject, scope, event, at) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id"
_PAYLOAD = "INSERT INTO ledger_auditpayload (event_id, salt, body) VALUES (%s, %s, %s)"
_LEAVES = 'INSERT INTO ledger_auditleaf ("index", event_id, leaf_hash) VALUES '


def insert_event(connection: BaseDatabaseWrapper, values: Sequence[Any]) -> int:
    """One row of ledger_auditevent: leaf, uid, subject, scope, event, at, as this database takes them; its id."""
    row = _run(connection, _EVENT, values)
    return int(row[0])


def insert_payload(connection: BaseDatabaseWrapper, event: int, salt: bytes, body: bytes) -> None:
    """The erasable payload of an event."""
    _run(connection, _PAYLOAD, [event, salt, body])


def insert_leaves(rows: Sequence[tuple[int, int, bytes]]) -> None:
    """Places in the tree: (index, event, leaf hash) each."""
    with transaction.get_connection().cursor() as cursor:
        for first in range(0, len(rows), ROWS):
            some = rows[first : first + ROWS]
            cursor.execute(_LEAVES + ", ".join(["(%s, %s, %s)"] * len(some)), list(chain.from_iterable(some)))


def _run(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> Any:
    if not _may_prepare(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone() if "RETURNING" in statement else None
    connection.validate_no_broken_transaction()  # what Django's own cursor asks first
    from psycopg import Cursor  # noqa: PLC0415 - with SQLite nobody needs it

    raw = connection.connection
    raw.prepare_threshold = AFTER  # Django's own cursors never prepare: they put the values into the text themselves
    with connection.wrap_database_errors, Cursor(raw) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if "RETURNING" in statement else None


def _may_prepare(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor != "postgresql" or connection.queries_logged or connection.execute_wrappers:
        return False
    return connection.connection is not None and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
