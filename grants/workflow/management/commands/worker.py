"""`manage.py worker`: the embedded worker. With a broker, run Celery's worker and beat instead (docs/operations.md)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string

from grants.workflow.worker import Worker


class Command(BaseCommand):
    help = "Drain the outbox and keep the schedule until stopped; --once does what is due and ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one pass over chores and outbox, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(import_string(settings.SCHEDULE))
        if options["once"]:
            while worker.turn():
                pass
            return
        self.stdout.write("worker started")
        worker.run()
        self.stdout.write("worker stopped")
