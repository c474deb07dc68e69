"""Database triggers that refuse UPDATE, DELETE and TRUNCATE on the log, for SQLite and PostgreSQL.

They stop mistakes and ordinary accounts, not the owner of the database (who can drop them): the evidence is the tree.
On PostgreSQL they are ENABLE ALWAYS, so replica mode does not pass them either. On SQLite a further trigger stops INSERT OR
REPLACE, whose hidden deletion fires no trigger. A migration that rebuilds one of these tables on SQLite must call `install`
again; `verify` warns when any is missing. `remove` is what the reverse migration calls; nothing else in the product does.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

# table → operations refused; a payload may be deleted, never changed
REFUSED = {
    "ledger_auditevent": ("UPDATE", "DELETE"),
    "ledger_auditleaf": ("UPDATE", "DELETE"),
    "ledger_checkpoint": ("UPDATE", "DELETE"),
    "ledger_auditpayload": ("UPDATE",),
}
UNIQUE = {
    "ledger_auditevent": ("id", "uid"),
    "ledger_auditleaf": ('"index"', "event_id"),
    "ledger_checkpoint": ("id", "size"),
    "ledger_auditpayload": ("event_id",),
}
FUNCTION = "ledger_refuse"


def install(connection: BaseDatabaseWrapper) -> None:
    """Create every trigger anew; safe to call any number of times."""
    remove(connection)
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    _execute(connection, make())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger that exists: for the reverse migration, and for the flush between transactional tests."""
    on = ""
    if connection.vendor == "postgresql":
        on = " ON {}"
        connection.check_constraints()  # no trigger can be dropped or altered while deferred checks of its table wait
    _execute(connection, [f"DROP TRIGGER IF EXISTS {name}" + on.format(table) for table, name in _names(connection)])


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of triggers that should stand and do not, or that were disabled."""
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A' AND tgname LIKE 'ledger_%%'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%%'"
    with connection.cursor() as cursor:
        cursor.execute(query, [])
        standing = {name for (name,) in cursor.fetchall()}
    return [name for _table, name in _names(connection) if name not in standing]


def _names(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    return [
        (table, f"{table}_no_{what.lower()}")
        for table, refused in REFUSED.items()
        for what in (*refused, "TRUNCATE" if connection.vendor == "postgresql" else "REPLACE")
    ]


def _execute(connection: BaseDatabaseWrapper, statements: Iterator[str] | list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _postgresql() -> Iterator[str]:
    # 23001 restrict_violation: Django raises IntegrityError, as it does for SQLite's RAISE(ABORT).
    yield f"""
        CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'ledger: % on % is refused, the log is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';
        END $$"""
    for table, refused in REFUSED.items():
        for what in (*refused, "TRUNCATE"):
            name = f"{table}_no_{what.lower()}"
            each = "STATEMENT" if what == "TRUNCATE" else "ROW"
            yield f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH {each} EXECUTE FUNCTION {FUNCTION}()"
            yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def _sqlite() -> Iterator[str]:
    for table, refused in REFUSED.items():
        for what in refused:
            yield (
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'ledger: {what} on {table} is refused, the log is append-only'); END"
            )
        same = " OR ".join(f"{column} = NEW.{column}" for column in UNIQUE[table])
        yield (
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN "  # noqa: S608
            f"SELECT RAISE(ABORT, 'ledger: replacing a row of {table} is refused, the log is append-only'); END"
        )
