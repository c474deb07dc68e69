"""Asking for a refusal: the kind, and the very rule."""

from __future__ import annotations

from typing import Any

import pytest

from grants.workflow.refusals import Refusal


def refused(expected: type[Refusal], rule: str, act: Any, /, *args: Any, **kwargs: Any) -> Refusal:
    """`act` is refused with this kind and this rule; returns the refusal."""
    with pytest.raises(expected) as caught:
        act(*args, **kwargs)
    assert caught.value.rule == rule, caught.value
    return caught.value
