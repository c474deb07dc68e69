"""`manage.py review assign|score|select IN.json OUT.json`: the arithmetic of review on files, without a database (docs/review-commands.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, NoReturn, cast

from django.core.management.base import BaseCommand, CommandParser

from grants.desk.faces import faces


class _Parser(CommandParser):
    """Wrong options end with 1 like any input that cannot be read: 2 is kept for questions without an answer."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:  # type: ignore[attr-defined]
            self.print_usage()
            self.exit(1, f"{self.prog}: {message}\n")
        super().error(message)
        raise AssertionError("argparse does not come back from an error")


class Command(BaseCommand):
    help = "Assign, score and select from JSON files, without a database; the same bytes for the same input."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="face", required=True, parser_class=_Parser)
        for name, face in faces().items():
            face.add_arguments(cast("ArgumentParser", actions.add_parser(name, help=face.HELP, description=face.HELP)))

    def handle(self, *args: Any, face: str, **options: Any) -> None:
        faces()[face].run(options)
