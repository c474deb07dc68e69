"""The columns of a table as pasting reads them, here (`pasting.read`) and in the browser (`web/pasting.js`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.translation import gettext

from bidding.forms import RowForm
from bidding.pasting import AMOUNT, MOST_ROWS, PLACES, SENTENCES, SUMS, TICKED, Column


def columns_of(form: RowForm) -> list[Column]:
    """Headings are the labels and what else people call them; `DELETE` is the formset's own."""
    return [
        Column(
            code=name,
            names=(str(field.label), *form.called.get(name, ())),
            choices={str(said): str(code) for code, said in getattr(field, "choices", ()) if code},
            number=name in form.figures,
            tick=isinstance(field, forms.BooleanField),
        )
        for name, field in form.fields.items()
        if name != "DELETE"
    ]


def is_priced(form: RowForm) -> bool:
    """Whether its rows have a price, so that a sheet's own amounts mean something."""
    return "unit_price" in form.base_fields


def for_page(columns: Sequence[Column], *, priced: bool) -> dict[str, Any]:
    """JSON for `read` of `web/pasting.js`."""
    words = {"sums": list(SUMS), "ticked": sorted(TICKED), "places": list(PLACES), "most": MOST_ROWS}
    sentences = {rule: gettext(sentence) for rule, sentence in SENTENCES.items()}
    return {"columns": [_plain(c) for c in columns], "stated": _plain(AMOUNT) if priced else None, "words": words, "sentences": sentences}


def _plain(column: Column) -> dict[str, Any]:
    return {**asdict(column), "choices": [[said, code] for said, code in column.choices.items()]}
