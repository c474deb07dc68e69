#!/usr/bin/env python3
"""Django's door for commands. `manage.py demo` needs no environment: it says for itself that it is a demonstration."""

import os
import sys


def main() -> None:
    """Run one management command with the settings of this tree."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ.setdefault("GONGCHUANG_DEMO", "1")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - absent until `make` has run
    except ImportError as missing:
        raise SystemExit(
            "没有找到 Django:请先运行 make demo(它会建好 .venv),或使用 .venv/bin/python。\n"
            "Django is not installed here: run `make demo` first (it makes .venv), or use .venv/bin/python."
        ) from missing
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
