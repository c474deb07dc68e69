"""`manage.py demo`: load the five sample calls once, check that every invariant holds, serve."""

from __future__ import annotations

import socket
import sys
import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from grants.desk.demo import checks, ground
from grants.desk.demo.cast import PASSWORD
from grants.desk.demo.ground import Ground
from grants.desk.demo.serving import Supervisor, children
from grants.documents.signing import authority


class Command(BaseCommand):
    help = "Load the demonstration if it is not there yet, check it, and serve it; --no-serve loads, checks and ends."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="load, check every invariant, print a line per call, end")
        parser.add_argument("--reset", action="store_true", help="empty the demonstration's database and files first")
        parser.add_argument("--port", type=int, default=8000, help="where to serve (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="loopback address to serve on")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(_("这里不是演示环境；请用 manage.py demo 或设置 GONGCHUANG_DEMO=1。"))
        call_command("migrate", verbosity=0, interactive=False)
        state = self._prepared(ground.found(), reset=options["reset"])
        if state is Ground.EMPTY:
            self._load()
        if options["no_serve"] or state is Ground.EMPTY:
            self._check()
        if not options["no_serve"]:
            self._serve(options["host"], options["port"])

    def _prepared(self, state: Ground, *, reset: bool) -> Ground:
        """The state after an asked-for reset. Raises CommandError rather than touch what is not the demonstration's."""
        if state is Ground.REAL:
            raise CommandError(_("数据库里有非演示账号，不会载入或清空；请另设 GONGCHUANG_HOME 或 DATABASE_URL。"))
        if state is Ground.HALF and not reset:
            raise CommandError(_("上次载入没有完成；请运行 manage.py demo --reset 重新载入。"))
        if reset and state is not Ground.EMPTY:
            ground.wipe()
            return Ground.EMPTY
        return state

    def _load(self) -> None:
        from grants.desk.demo.story import tell  # noqa: PLC0415 - rules and papers are slow to import, a second start needs none

        self.stdout.write(_("载入五次征集的示例数据（约一两分钟）："))
        started = time.monotonic()
        cast = tell(self._told)
        ground.remember(cast.accounts)
        authority.refresh()  # the story is told in other months; contracts are checked against a list of today
        self.stdout.write(_("已载入，用时 %(n)d 秒。") % {"n": time.monotonic() - started})

    def _told(self, day: date) -> None:
        self.stdout.write(f"  {day:%Y-%m} …")
        self.stdout.flush()

    def _check(self) -> None:
        for line in checks.lines():
            self.stdout.write(str(line))
        found = checks.breaches()
        if found:
            raise CommandError("\n".join([_("以下不变量不成立："), *found]), returncode=1)
        self.stdout.write(_("账目、付款单、票据、文件和台账全部核对一致。"))

    def _serve(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as taken:
                sentence = _("端口 %(port)d 不能使用（%(why)s）；请换一个：make demo PORT=9000。")
                raise CommandError(sentence % {"port": port, "why": taken.strerror}) from taken
        for username, person, role in ground.accounts():
            self.stdout.write(f"  {username:<14} {person:　<5} {role}")
        self.stdout.write(_("密码均为 %(password)s（仅限演示）") % {"password": PASSWORD})
        self.stdout.write(f"http://{host}:{port}/")
        sys.stdout.flush()
        Supervisor(children(host, port)).run()
