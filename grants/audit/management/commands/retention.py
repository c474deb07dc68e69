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
        gone = actions.add_parser("erase", help="contacts of finished needs, through the same step as by hand")
        gone.add_argument("--by", required=True, metavar="USER", help="the officer who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "erase":
            self._erase(options["by"])
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

    def _erase(self, username: str) -> None:
        by = User.objects.filter(username=username).first()
        if by is None:
            raise CommandError(_("没有用户 %(name)s。") % {"name": username})
        try:
            gone = retention.erase(clock.today(), by=by)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_("已删除 %(n)d 条联系方式：%(numbers)s") % {"n": len(gone), "numbers": "、".join(row.number for row in gone) or "—"})
