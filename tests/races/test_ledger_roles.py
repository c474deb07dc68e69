"""Least privilege on PostgreSQL, as `manage.py ledger roles` prints it: the application role adds to the log and can do nothing else to it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from grants import ledger
from grants.ledger import roles
from tests.platform import ledger_book as bk

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

REFUSED = [
    "UPDATE ledger_auditevent SET subject = 'x'",
    "DELETE FROM ledger_auditevent",
    "TRUNCATE ledger_auditevent CASCADE",
    "TRUNCATE ledger_checkpoint CASCADE",
    'UPDATE ledger_auditleaf SET "index" = "index" + 100',
    "DELETE FROM ledger_auditleaf",
    "UPDATE ledger_checkpoint SET note = ''",
    "DELETE FROM ledger_checkpoint",
    "UPDATE ledger_auditpayload SET body = ''",
    "TRUNCATE ledger_auditpayload",
    "ALTER TABLE ledger_auditevent DISABLE TRIGGER ALL",
    "ALTER TABLE ledger_auditevent DISABLE TRIGGER ledger_auditevent_no_update",
    "DROP TRIGGER ledger_auditevent_no_update ON ledger_auditevent",
    "DROP TABLE ledger_checkpoint CASCADE",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "INSERT INTO ledger_auditevent (id, leaf, uid, subject, scope, event, at) VALUES (999999, '', gen_random_uuid(), 'x', '', 'x', now())",
    (
        "INSERT INTO ledger_auditpayload (event_id, salt, body) SELECT event_id, salt, '' FROM ledger_auditpayload "
        "ON CONFLICT (event_id) DO UPDATE SET body = ''"
    ),
    "DELETE FROM django_migrations",
    "CREATE TABLE mine (n int)",
]


@pytest.fixture
def app() -> Iterator[str]:
    """The roles applied to this database; the name of the application role. Afterwards everything belongs to whoever it belonged to."""
    if connection.vendor != "postgresql":
        pytest.fail("roles are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")
    tail = uuid4().hex[:8]
    name, owner = f"app_{tail}", f"owner_{tail}"
    out = StringIO()
    call_command("ledger", "roles", "--app", name, "--owner", owner, stdout=out)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (me,) = cursor.fetchone()
        cursor.execute(out.getvalue())
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"REASSIGN OWNED BY {owner} TO {me}; DROP OWNED BY {name}; DROP OWNED BY {owner}; DROP ROLE {name}; DROP ROLE {owner}")


@pytest.mark.parametrize("statement", REFUSED)
def test_the_application_role_is_refused(app: str, statement: str) -> None:
    _written()
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {app}")
        try:
            with pytest.raises(Exception, match=r"permission denied|must be owner|append-only") as wrong:
                cursor.execute(statement)
            assert isinstance(wrong.value.__cause__, psycopg.Error)
        finally:
            connection.rollback()
            cursor.execute("RESET ROLE")
    assert ledger.verify().ok


def _written() -> None:
    with transaction.atomic():
        bk.write(2)
    ledger.checkpoint()


def test_the_application_role_can_do_its_work(app: str) -> None:
    """Record, place, sign, erase; and every other table as before."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {app}")
    try:
        _written()
        with transaction.atomic():
            from grants.ledger.models import AuditPayload

            ledger.erase(AuditPayload.objects.order_by("pk")[0].event_id, actor=bk.CLERK, role="privacy", ground="x")
        ledger.checkpoint()
        from grants.workflow.models import Outbox

        Outbox.objects.all().delete()
        report = ledger.verify()
        assert report.ok and report.leaves == 3 and report.erased == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


@pytest.mark.parametrize("name", ["", "App", "a b", "a;drop", "x" * 64])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="role name"):
        roles.sql(app=name, owner="o")


