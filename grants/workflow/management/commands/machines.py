"""`manage.py machines [--check]`: write the machines' diagrams and tables into README.md and docs/machines.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants.workflow import describe

BEGIN, END = "<!-- machines:begin -->", "<!-- machines:end -->"
HEAD = "# 状态机\n\n由 `manage.py machines` 从代码生成,请勿手改。\n\n"


class Command(BaseCommand):
    help = "Write the machines' diagrams and who-may tables into README.md and docs/machines.md; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit 1 if a generated part is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        base = Path(settings.BASE_DIR)
        wanted = {base / "README.md": _readme(base / "README.md"), base / "docs" / "machines.md": HEAD + describe.document()}
        stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
        if options["check"]:
            if stale:
                raise CommandError(f"stale: {', '.join(p.name for p in stale)}; run manage.py machines")
            self.stdout.write(f"{len(describe.machines())} machines, generated parts current")
            return
        for path in stale:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path], "utf-8")
            self.stdout.write(f"wrote {path.relative_to(base)}")


def _readme(path: Path) -> str:
    text = path.read_text("utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise CommandError(f"README.md lacks {BEGIN} … {END}")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n{describe.overview()}\n{END}{tail}"
