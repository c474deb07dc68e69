"""For migrations: what stood in the clear in a column that is encrypted from now on, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.models import Q, TextField, Value

AT_ONCE = 500
"""Rows in memory at a time: some hold a whole application."""


def sealed(app: str, model: str, *columns: str, then: Callable[[Any], dict[str, Any]] | None = None) -> migrations.RunPython:
    """Store every value of these columns again, now encrypted. then: row → further columns to set with it (a keyed hash).

    Backwards every value is stored in the clear again, before the column becomes a plain one.
    """

    def forwards(apps: Any, _editor: Any) -> None:
        for row in _given(apps.get_model(app, model), columns):
            more = then(row) if then else {}
            _kept(row).update(**{name: getattr(row, name) for name in columns}, **more)

    def backwards(apps: Any, _editor: Any) -> None:
        for row in _given(apps.get_model(app, model), columns):
            plain = {name: row._meta.get_field(name).plain(getattr(row, name)) for name in columns}
            _kept(row).update(**{name: Value(text, output_field=TextField()) for name, text in plain.items()})

    return migrations.RunPython(forwards, backwards)


def _given(model: Any, columns: tuple[str, ...]) -> Any:
    given = Q()
    for column in columns:
        given |= ~Q(**{column: ""})
    return model._base_manager.filter(given).iterator(chunk_size=AT_ONCE)


def _kept(row: Any) -> Any:
    """By an UPDATE and no save: a model that refuses to be changed is stored again, not changed."""
    return type(row)._base_manager.filter(pk=row.pk)
