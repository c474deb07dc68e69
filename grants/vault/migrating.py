"""For migrations: what stood in the clear in a column that is encrypted from now on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.models import Q


def sealed(app: str, model: str, *columns: str, then: Callable[[Any], dict[str, Any]] | None = None) -> migrations.RunPython:
    """Store every value of these columns again, now encrypted. then: row → further columns to set with it (a keyed hash).

    Backwards nothing is done: a column that is a plain one again would show what is stored, so the values must be written anew.
    """

    def forwards(apps: Any, _editor: Any) -> None:
        given = Q()
        for column in columns:
            given |= ~Q(**{column: ""})
        for row in apps.get_model(app, model)._base_manager.filter(given).iterator():
            more = then(row) if then else {}
            for name, value in more.items():
                setattr(row, name, value)
            row.save(update_fields=[*columns, *more])

    return migrations.RunPython(forwards, migrations.RunPython.noop)
