"""`manage.py files scan`: every kept file through clamd again, with today's signatures; `files check`: every file against its hash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants.documents.files import is_intact, path_of
from grants.documents.models import StoredFile
from grants.documents.scanning import ScannerAway, virus_in


class Command(BaseCommand):
    help = "已保存的文件：scan 逐个查毒（需配置 CLAMD），check 逐个核对哈希。有问题时退出码为 1"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["scan", "check"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "scan" and not settings.CLAMD:
            raise CommandError("没有配置 CLAMD，例如 CLAMD=unix:/run/clamav/clamd.ctl。")
        looked, bad = 0, 0
        for sha256 in StoredFile.objects.order_by("pk").values_list("sha256", flat=True).iterator():
            looked += 1
            for problem in self._scanned(sha256) if what == "scan" else self._checked(sha256):
                bad += 1
                self.stdout.write(f"{sha256}  {problem}")
        self.stdout.write(f"共 {looked} 个文件，{bad} 个有问题。")
        if bad:
            raise CommandError("有文件需要处理：见上。")

    def _scanned(self, sha256: str) -> Iterator[str]:
        path = path_of(sha256)
        if not path.exists():
            yield "不在数据目录中"
            return
        try:
            found = virus_in(path)
        except ScannerAway as away:
            raise CommandError(f"clamd 没有应答：{away}") from away
        if found:
            yield f"病毒 {found}"

    def _checked(self, sha256: str) -> Iterator[str]:
        if not is_intact(sha256):
            yield "缺失或已被改动，请从备份恢复"
