"""`manage.py contract verify FILE…`: what a signed contract proves, without a browser. Exit 0 when everything holds, 1 otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants.awards.verifying import check
from grants.documents.proof import Report

SIGNS = {"holds": "✓", "fails": "✗", "unsure": "?", "note": "·"}


class Command(BaseCommand):
    help = "核验协议文件：contract verify FILE…"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["verify"])
        parser.add_argument("files", nargs="+", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Every file is said; the command fails when one does not hold."""
        verdicts = [self._one(path) for path in options["files"]]
        if any(verdict != "holds" for verdict in verdicts):
            raise CommandError("不是每份文件都核验通过。", returncode=1)

    def _one(self, path: Path) -> str:
        try:
            report: Report = check(path.read_bytes())
        except OSError as wrong:
            raise CommandError(f"{path}: {wrong}") from wrong
        self.stdout.write(f"{path}\n{SIGNS[report.verdict]} {report.headline}")
        for finding in report.findings:
            self.stdout.write(f"  {SIGNS[finding.level]} {finding.sentence}")
        for label, value in report.facts:
            self.stdout.write(f"    {label}: {value}")
        for sentence in report.cannot_say:
            self.stdout.write(f"  不说明：{sentence}")
        return report.verdict
