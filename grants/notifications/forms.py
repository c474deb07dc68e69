"""The form of one's wishes: one choice for each matter."""

from __future__ import annotations

from typing import Any

from django import forms

from grants.notifications.models import Wish
from grants.notifications.wishes import MATTERS


class WishForm(forms.Form):
    """A choice for each matter, in the order of a project's life."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for matter, label in MATTERS.items():
            self.fields[matter] = forms.ChoiceField(label=label, choices=Wish.Way.choices, widget=forms.Select)
