"""What the database itself refuses about people, for SQLite and PostgreSQL.

The security log is never changed, and nothing in it is deleted that is younger than LEAST_DAYS; and one person never holds an
administrator's office and a business role at once. Services refuse both first, with a sentence; these stop whatever writes beside them. They are
made anew after every `migrate`, since SQLite rebuilds a table to change it and forgets its triggers. `remove` is for the flush between
transactional tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOG, OFFICES = "people_securityevent", "people_appointment"
NAMES = (
    (LOG, f"{LOG}_no_update"),
    (LOG, f"{LOG}_no_delete"),
    (LOG, f"{LOG}_no_truncate"),
    (OFFICES, f"{OFFICES}_apart_insert"),
    (OFFICES, f"{OFFICES}_apart_update"),
)
LEAST_DAYS = 183
"""网络安全法 §21(3), in force since 2017-06-01: network logs are kept for at least six months."""
KEPT = "people: the security log is append-only"
APART = "people: an administrator holds no business role"
HELD = (
    f"SELECT 1 FROM {OFFICES} held WHERE held.user_id = NEW.user_id AND held.until IS NULL AND held.id <> NEW.id "  # noqa: S608
    "AND (held.scope_kind = 'site') <> (NEW.scope_kind = 'site')"
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Create every trigger anew; safe to call any number of times."""
    remove(connection)
    with connection.cursor() as cursor:
        for statement in _postgresql() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)


def after_migrate(using: str, **kwargs: Any) -> None:
    """Receiver of post_migrate: the triggers, and the one row of the site."""
    from grants.people.models import Site  # noqa: PLC0415 - models are there when a migration has run

    connection = connections[using]
    if {LOG, OFFICES, Site._meta.db_table} <= set(connection.introspection.table_names()):
        install(connection)
        Site.objects.using(using).get_or_create(pk=Site().pk)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger that exists."""
    on = " ON {}" if connection.vendor == "postgresql" else ""
    if on:
        connection.check_constraints()
    with connection.cursor() as cursor:
        for table, name in NAMES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + on.format(table))


def _sqlite() -> Iterator[str]:
    young = f"OLD.at > strftime('%Y-%m-%d %H:%M:%S', 'now', '-{LEAST_DAYS} days')"
    for what, when in (("update", ""), ("delete", f"WHEN {young} ")):
        yield f"CREATE TRIGGER {LOG}_no_{what} BEFORE {what} ON {LOG} {when}BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
    for what in ("insert", "update"):
        yield (
            f"CREATE TRIGGER {OFFICES}_apart_{what} AFTER {what} ON {OFFICES} "
            f"WHEN NEW.until IS NULL AND EXISTS ({HELD}) BEGIN SELECT RAISE(ABORT, '{APART}'); END"
        )


def _postgresql() -> Iterator[str]:
    # 23001 restrict_violation: Django raises IntegrityError, as it does for SQLite's RAISE(ABORT).
    yield f"""
        CREATE OR REPLACE FUNCTION people_keep_log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.at <= now() - interval '{LEAST_DAYS} days' THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{KEPT}' USING ERRCODE = '23001';
        END $$"""
    yield f"""
        CREATE OR REPLACE FUNCTION people_apart() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.until IS NULL AND EXISTS ({HELD}) THEN RAISE EXCEPTION '{APART}' USING ERRCODE = '23001'; END IF;
            RETURN NEW;
        END $$"""
    for what, each in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
        yield f"CREATE TRIGGER {LOG}_no_{what} BEFORE {what} ON {LOG} FOR EACH {each} EXECUTE FUNCTION people_keep_log()"
        yield f"ALTER TABLE {LOG} ENABLE ALWAYS TRIGGER {LOG}_no_{what}"
    for what in ("insert", "update"):
        yield f"CREATE TRIGGER {OFFICES}_apart_{what} AFTER {what} ON {OFFICES} FOR EACH ROW EXECUTE FUNCTION people_apart()"
