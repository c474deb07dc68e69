"""`manage.py vault make` writes the master key of the vault, once; `manage.py vault show` says which keys are at hand, never the keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants.vault import KeyMissing, keys


class Command(BaseCommand):
    help = "保密箱主密钥：make 生成（已有则不动），show 查看编号"
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # the start-up check asks for this key, and says to run this command

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["make", "show"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            if what == "make":
                self.stdout.write(
                    f"{keys.make()}\n请把这个文件另存一份到数据库备份以外的地方：丢了它，没有拆封的评分谁也打不开。"
                )
            for at, key in enumerate(keys.master_keys()):
                self.stdout.write(f"{keys.key_id(key).hex()}  {'密封和拆封' if at == 0 else '只用于拆封'}")
        except (KeyMissing, OSError) as wrong:
            raise CommandError(str(wrong)) from wrong
