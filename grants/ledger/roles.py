"""Least privilege on PostgreSQL: SQL for an owner role that nobody signs in as, and an application role that may only add to the log.

A deployment step, printed by `manage.py ledger roles` and run once by a database administrator after `migrate` (docs/operations.md). The
application role cannot change or remove what stands in the log, switch a trigger off or enter replica mode. The owner and a superuser
still can: this is hygiene, the tree is the evidence.
"""

from __future__ import annotations

import re

from grants.ledger.triggers import REFUSED

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
INSERT_ONLY = ("ledger_auditevent", "ledger_auditleaf", "ledger_checkpoint", "ledger_cosignature")
ERASABLE = ("ledger_auditpayload",)
EVENTS = "ledger_auditevent"
EVENT_COLUMNS = "leaf, uid, subject, scope, event, at"  # not id: the database numbers


def sql(*, app: str, owner: str) -> str:
    """The statements, for `psql`. app, owner: role names (lower-case letters, digits, underscores). Raises ValueError."""
    for name in (app, owner):
        if not _ROLE.fullmatch(name):
            raise ValueError(f"{name!r} is no role name: lower-case letters, digits and underscores")
    return "\n".join(["BEGIN;", *_roles(app, owner), *_general(app, owner), *_log(app), "COMMIT;", ""])


def _roles(app: str, owner: str) -> list[str]:
    return [
        _unless_there(owner, "NOLOGIN"),
        _unless_there(app, "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"),
        f"-- then give it a password: ALTER ROLE {app} PASSWORD '…';",
    ]


def _unless_there(role: str, options: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} {options}; END IF; END $$;"
    )


def _general(app: str, owner: str) -> list[str]:
    """Everything in the schema belongs to the owner; the application works with the rows of every table, and owns none."""
    return [
        f"GRANT {owner} TO CURRENT_USER;",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {owner};",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        "DO $$ DECLARE r record; BEGIN",
        "  FOR r IN SELECT format('%I.%I', schemaname, tablename) AS t FROM pg_tables WHERE schemaname = 'public' LOOP",
        f"    EXECUTE 'ALTER TABLE ' || r.t || ' OWNER TO {owner}';",
        "  END LOOP;",
        "  FOR r IN SELECT p.oid::regprocedure AS f FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace",
        "           WHERE n.nspname = 'public' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP",
        f"    EXECUTE 'ALTER FUNCTION ' || r.f || ' OWNER TO {owner}';",
        "  END LOOP;",
        "END $$;",
        f"GRANT USAGE ON SCHEMA public TO {app};",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app};",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app};",
        f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {app};",
    ]


def _log(app: str) -> list[str]:
    """What stands in the log stays: rows are added, the number of an event is the database's to give, payloads may be deleted."""
    lines = [f"REVOKE ALL ON {', '.join((*INSERT_ONLY, *ERASABLE))} FROM {app};"]
    lines += [f"GRANT SELECT, INSERT ON {table} TO {app};" for table in INSERT_ONLY if table != EVENTS]
    lines += [f"GRANT SELECT, INSERT ({EVENT_COLUMNS}) ON {EVENTS} TO {app};"]
    lines += [f"GRANT SELECT, INSERT, DELETE ON {table} TO {app};" for table in ERASABLE]
    assert set(REFUSED) <= {*INSERT_ONLY, *ERASABLE}
    return lines
