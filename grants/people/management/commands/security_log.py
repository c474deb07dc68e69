"""`manage.py security_log`: what of the security log is past its time, and with --do its removal. Nothing is removed without --do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from grants.people import retention


class Command(BaseCommand):
    help = "Show what of the security log is older than SECURITY_LOG_DAYS; --do removes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--do", action="store_true", help="remove, and write a line about it")

    def handle(self, *args: Any, **options: Any) -> None:
        before, rows = retention.past()
        facts = {"n": rows.count(), "day": f"{before:%Y-%m-%d}", "days": settings.SECURITY_LOG_DAYS}
        if options["do"]:
            facts["n"] = retention.prune()
            self.stdout.write(_("已清除 %(day)s 以前的安全日志 %(n)d 条。") % facts)
            return
        self.stdout.write(_("安全日志保存 %(days)d 天；%(day)s 以前的有 %(n)d 条，加 --do 清除。") % facts)
