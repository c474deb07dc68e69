"""`manage.py workdays import FILE.csv`: enter a published 调休 arrangement; `workdays list YEAR`: what holds this year."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from grants.clock.models import WorkdayOverride

WORDS = {"上班": True, "work": True, "1": True, "休息": False, "rest": False, "0": False}
COLUMNS = ["date", "is_workday", "name", "source"]


class Command(BaseCommand):
    help = "Override table of working days. CSV columns: date (YYYY-MM-DD), is_workday (上班/休息), name, source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("import", help="add or replace the days of a CSV file, all or none").add_argument("file", type=Path)
        actions.add_parser("list", help="print the overrides of one year").add_argument("year", type=int)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "import":
            self._import(options["file"])
        else:
            for row in WorkdayOverride.objects.filter(date__year=options["year"]):
                self.stdout.write(f"{row}  {row.source}")

    def _import(self, path: Path) -> None:
        rows = _read(path)
        with transaction.atomic():
            for row in rows:
                day = row.pop("date")
                WorkdayOverride.objects.update_or_create(date=day, defaults=row)
        self.stdout.write(_("已写入 %(count)s 天。") % {"count": len(rows)})


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            missing = [column for column in COLUMNS if column not in (table.fieldnames or [])]
            if missing:
                raise CommandError(_("%(file)s 缺少列:%(columns)s") % {"file": path, "columns": "、".join(missing)})
            return [_row(path, number, line) for number, line in enumerate(table, start=2)]
    except OSError as wrong:
        raise CommandError(_("读不到 %(file)s:%(why)s") % {"file": path, "why": wrong.strerror}) from wrong


def _row(path: Path, number: int, line: dict[str, str]) -> dict[str, Any]:
    try:
        day, worked = date.fromisoformat(line["date"].strip()), WORDS[line["is_workday"].strip().lower()]
    except (ValueError, KeyError) as wrong:
        sentence = _("%(file)s 第 %(line)s 行看不懂(%(why)s);日期写成 2027-01-01,is_workday 写「上班」或「休息」。")
        raise CommandError(sentence % {"file": path, "line": number, "why": wrong}) from wrong
    return {"date": day, "is_workday": worked, "name": line["name"].strip(), "source": line["source"].strip()}
