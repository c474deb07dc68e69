"""What `manage.py review` can do: one module here is one subcommand, found by its name; nothing else has to be edited.

A face offers HELP (one line for `--help`), add_arguments(parser) and run(options). run returns when all is well and raises
CommandError with a returncode otherwise: 1 for input that cannot be read, 2 for a question that has no answer.
"""

from __future__ import annotations

import pkgutil
from argparse import ArgumentParser
from importlib import import_module
from typing import Any, Protocol, cast


class Face(Protocol):
    """A module of this package."""

    HELP: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare files and options."""

    def run(self, options: dict[str, Any]) -> None:
        """Do it. Raises CommandError with a sentence and a returncode."""


def faces() -> dict[str, Face]:
    """Name → module, in order of name."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return {name: cast("Face", import_module(f"{__name__}.{name}")) for name in names}
