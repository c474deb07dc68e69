"""`manage.py draw run IN.json OUT.json` and `manage.py draw verify FILE`: repeat a draw. No database; docs/review-commands.md, section draw."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from review import transcript
from review.draw import DrawImpossible
from review.transcript_reading import Malformed, read, write
from review.usage import UNREADABLE, ends_with_1

FAILS = 2


class Command(BaseCommand):
    help = "Draw from a transcript's announcement and chance (run), or repeat a published draw (verify). 0 OK, 1 not readable or wrongly called, 2 FAIL."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        ends_with_1(parser)
        actions = parser.add_subparsers(dest="action", required=True)
        made = actions.add_parser("run", help="complete IN (announcement, commitments, reveals, beacon) with the outcome and write OUT")
        made.add_argument("source", type=Path, metavar="IN.json")
        made.add_argument("target", type=Path, metavar="OUT.json")
        asked = actions.add_parser("verify", help="repeat every step; OK or FAIL with the place for each")
        asked.add_argument("source", type=Path, metavar="FILE")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            document = read(_bytes(options["source"]), complete=action == "verify")
        except Malformed as wrong:
            raise CommandError(str(wrong), returncode=UNREADABLE) from wrong
        getattr(self, f"_{action}")(document, options)

    def _run(self, document: dict[str, Any], options: dict[str, Any]) -> None:
        try:
            whole = transcript.run(document)
        except (DrawImpossible, transcript.Broken) as wrong:
            raise CommandError(f"FAIL {wrong}", returncode=FAILS) from wrong
        try:
            options["target"].write_bytes(write(whole))
        except OSError as wrong:
            raise CommandError(f"{options['target']}: {wrong}", returncode=UNREADABLE) from wrong
        self.stdout.write(f"OK seed {whole['seed']}\nOK chosen {'、'.join(whole['chosen'])}")

    def _verify(self, document: dict[str, Any], options: dict[str, Any]) -> None:
        found = transcript.verify(document)
        for check in found:
            self.stdout.write(f"{'OK  ' if check.ok else 'FAIL'} {check.step:<12} {check.where + ' ' if check.where else ''}{check.said}")
        if not found[-1].ok:
            raise CommandError(f"FAIL {found[-1].where}", returncode=FAILS)
        self.stdout.write("OK")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise CommandError(f"{path}: {wrong}", returncode=UNREADABLE) from wrong
