"""`manage.py review assign|score|select IN.json OUT.json`: the arithmetic of review on files, without a database (docs/review-commands.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from grants.desk.faces import faces
from review.usage import ends_with_1


class Command(BaseCommand):
    help = "Assign, score and select from JSON files, without a database; the same bytes for the same input."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        ends_with_1(parser)
        actions = parser.add_subparsers(dest="face", required=True)
        for name, face in faces().items():
            face.add_arguments(actions.add_parser(name, help=face.HELP, description=face.HELP))

    def handle(self, *args: Any, face: str, **options: Any) -> None:
        faces()[face].run(options)
