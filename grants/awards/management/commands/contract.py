"""`manage.py contract verify FILE…`: what a signed contract proves, without a browser. Exit 0 when everything holds, 1 otherwise.

`manage.py contract due [--days N]`: whose last timestamp runs out, soonest first; exit 1 when one has less than thirty days left, for a monitor.
`manage.py contract renew [--days N]`: put new timestamps on those now; exit 1 when one could not be renewed.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants import clock
from grants.awards.renewing import AHEAD, due, renew
from grants.awards.verifying import check
from grants.documents.proof import Report
from grants.documents.signing.keys import CannotSign
from grants.workflow.refusals import Refusal

SOON = timedelta(days=30)
SIGNS = {"holds": "✓", "fails": "✗", "unsure": "?", "note": "·"}


class Command(BaseCommand):
    help = "核验协议文件：contract verify FILE…；时间戳到期清单：contract due；续加时间戳：contract renew"

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("verify").add_argument("files", nargs="+", type=Path)
        for act in ("due", "renew"):
            acts.add_parser(act).add_argument("--days", type=int, default=AHEAD.days, help="多少天之内到期的")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['act']}")(options)

    def _due(self, options: dict[str, Any]) -> None:
        """The list for operations."""
        rows, now = [(c.provable_until, c.number) for c in due(within=timedelta(days=options["days"])) if c.provable_until is not None], clock.now()
        for until, number in rows:
            self.stdout.write(f"{until:%Y-%m-%d}  {number}{'' if until > now else '  已到期，不能再续'}")
        self.stdout.write(f"{options['days']} 天内到期的 {len(rows)} 份。")
        if any(until < now + SOON for until, _number in rows):
            raise CommandError(f"有协议的时间戳 {SOON.days} 天内到期：请检查 TSA_URL 和吊销列表，再运行 contract renew。", returncode=1)

    def _renew(self, options: dict[str, Any]) -> None:
        """One after the other; each is said."""
        failed = 0
        for contract in due(within=timedelta(days=options["days"])):
            try:
                done = renew(contract)
                self.stdout.write(f"✓ {contract.number}  {done.provable_until:%Y-%m-%d}")
            except (CannotSign, Refusal, OSError) as wrong:
                failed += 1
                self.stdout.write(f"✗ {contract.number}  {wrong}")
        if failed:
            raise CommandError(f"{failed} 份没有续上。", returncode=1)

    def _verify(self, options: dict[str, Any]) -> None:
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
