"""Links that open: a page offers another object's page only to whoever may see that object."""

from __future__ import annotations

from typing import Any

from django import template

from grants import clock

register = template.Library()


@register.filter
def opens_for(obj: Any, user: Any) -> bool:
    """Whether the object's own visibility rule shows it to this person; one query. An evaluator, say, reads a report but not its award."""
    return obj is not None and bool(type(obj).visible.allows(obj, user, clock.now()))
