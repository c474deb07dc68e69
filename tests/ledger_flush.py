"""Lets transactional tests empty the tables of the two logs (ledger, security). Loaded by pytest only (`addopts`); nothing of the product imports `tests`.

After a test with real transactions Django empties every table, by TRUNCATE or DELETE: just what the ledger's triggers refuse. Here, and
only here, the flush takes the triggers away before and puts them back after.
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Wrap Django's flush once for the whole run."""
    from django.db.backends.base.operations import BaseDatabaseOperations  # settings must be configured first

    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_without_triggers(self: Any, sql_list: list[str]) -> None:
        from grants.ledger import triggers
        from grants.people import triggers as of_people

        for each in (triggers, of_people):
            each.remove(self.connection)
        try:
            flush(self, sql_list)
        finally:
            for each in (triggers, of_people):
                each.install(self.connection)

    BaseDatabaseOperations.execute_sql_flush = flush_without_triggers  # type: ignore[method-assign]
