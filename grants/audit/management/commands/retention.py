"""`manage.py retention plan`: what may go when, and on what ground; `retention erase --by USER`: what is due and takes no appraisal."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from grants import clock
from grants.audit import retention
from grants.people.models import User
from grants.workflow.refusals import Refusal


class Command(BaseCommand):
    help = "保管与销毁计划：plan 列出各类记录保管到哪一天、依据是什么，erase 删除到期且不需鉴定的个人信息"

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        shown = actions.add_parser("plan", help="nothing is changed")
        shown.add_argument("--on", type=date.fromisoformat, help="what is due on this day (YYYY-MM-DD); today without it")
        shown.add_argument("--csv", type=Path, help="write every record with its day into this new file")
        gone = actions.add_parser("erase", help="what is due and takes no appraisal, through the same steps as by hand")
        gone.add_argument("--by", metavar="USER", help="who answers for it: an officer; for accounts an administrator")
        gone.add_argument("--kind", nargs="+", choices=sorted(retention.ERASERS), default=["contacts"], help="which classes (contacts without it)")
        gone.add_argument("--dry-run", action="store_true", help="only list what would be erased, why and from which day on")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "erase":
            self._list(options["kind"]) if options["dry_run"] else self._erase(options["by"], options["kind"])
            return
        rows = list(retention.plan())
        for kind in retention.CLASSES:
            self._tell(kind, [row for row in rows if row.kind is kind], options["on"] or clock.today())
        if options["csv"]:
            self._write(options["csv"], rows)

    def _tell(self, kind: retention.Class, rows: list[retention.Row], on: date) -> None:
        facts = {"n": len(rows), "due": sum(row.is_due(on) for row in rows), "first": rows[0].due if rows else "—"}
        way = _("到期后须经鉴定") if kind.by_hand else _("到期可由 retention erase 删除")
        self.stdout.write(f"{kind.name}\n    {kind.ground}；{way}")
        self.stdout.write("    " + _("共 %(n)d 件，到期 %(due)d 件，最早 %(first)s。") % facts)

    def _write(self, path: Path, rows: list[retention.Row]) -> None:
        try:
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write("\ufeff")  # for Excel
                lines = csv.writer(file)
                lines.writerow([_("类别"), _("编号"), _("起算日"), _("可销毁日")])
                lines.writerows([str(row.kind.name), row.number, row.since.isoformat(), row.due.isoformat()] for row in rows)
        except FileExistsError as there:
            raise CommandError(_("%(file)s 已经存在，请另指定文件名。") % {"file": path}) from there

    def _list(self, kinds: list[str]) -> None:
        """What `erase` would do now, a line each; accounts by pseudonym, so that the list names nobody."""
        rows = retention.due(kinds, clock.today())
        for row in rows:
            facts = {"what": row.kind.name, "number": row.number, "day": row.due, "since": row.since, "why": row.kind.ground}
            self.stdout.write(_("%(number)s　%(what)s：%(day)s 起可删除（自 %(since)s 起算；%(why)s）") % facts)
        self.stdout.write(_("共 %(n)d 件；没有删除任何内容。") % {"n": len(rows)})

    def _erase(self, username: str | None, kinds: list[str]) -> None:
        by = User.objects.filter(username=username).first()
        if by is None:
            raise CommandError(_("没有用户 %(name)s。") % {"name": username or "—"})
        try:
            gone = retention.erase(clock.today(), by=by, kinds=kinds)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        for kind in retention.CLASSES:
            rows = [row.number for row in gone if row.kind is kind]
            if kind.key in kinds:
                done = _("已提出账号事项，待另一类管理员复核") if kind is retention.ACCOUNTS else _("已删除")
                facts = {"what": kind.name, "done": done, "n": len(rows), "numbers": "、".join(rows) or "—"}
                self.stdout.write(_("%(what)s：%(done)s %(n)d 件：%(numbers)s") % facts)
