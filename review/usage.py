"""How the commands on files end when they are called wrongly: with 1, as for anything that cannot be read (docs/review-commands.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import NoReturn

from django.core.management.base import CommandParser

UNREADABLE = 1


class Parser(CommandParser):
    """Wrong options end with 1: 2 is kept for questions without an answer and steps that do not hold."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:  # type: ignore[attr-defined]
            self.print_usage()
            self.exit(UNREADABLE, f"{self.prog}: {message}\n")
        super().error(message)
        raise AssertionError("argparse does not come back from an error")


def ends_with_1(parser: ArgumentParser) -> None:
    """Let this parser, and those of the subcommands added to it from now on, end as `Parser` does. Django makes the parser itself and offers
    no way to say which."""
    parser.__class__ = Parser
