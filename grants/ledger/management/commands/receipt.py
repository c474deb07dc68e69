"""`manage.py receipt verify FILE [--key FILE]`: is this receipt genuine, and is what it promises in the log? Needs no database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from grants.ledger import keys
from grants.ledger.attached import receipt_in
from grants.ledger.offline import verify


class Command(BaseCommand):
    help = "Check a receipt: its signature, its entry, its proof. Exit 1 with the first thing that does not hold."
    requires_system_checks = []  # noqa: RUF012 - Django's own way; asks neither the database nor the settings of the site

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("verify", help="check a receipt (JSON, or the PDF that carries it)")
        check.add_argument("file", type=Path)
        check.add_argument("--key", action="append", default=[], help="public keys kept elsewhere: a file or a line, repeatable")
        actions.add_parser("key", help="print the public keys that receipts are checked with")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "key":
            self.stdout.write("\n".join(_own_lines()))
            return
        try:
            self._verify(options["file"], options["key"])
        except verify.Bad as bad:
            raise CommandError(_("回执不成立。%(why)s") % {"why": bad}, returncode=1) from bad
        except (OSError, UnicodeDecodeError) as wrong:
            raise CommandError(_("读不出文件:%(why)s") % {"why": wrong}, returncode=2) from wrong

    def _verify(self, path: Path, given: list[str]) -> None:
        trusted = verify.outside_keys(given) if given else verify.read_keys(_own_lines(), "本机")
        self.stdout.write(_("公钥来源:%(source)s") % {"source": _("--key 给出") if given else _("本机(只能发现意外,不能发现本机管理员)")})
        text = _text_of(path)
        entry = verify.check_receipt(text, trusted, lambda step, detail: self.stdout.write(f"✓ {verify.STEPS[step] % detail}"))
        self.stdout.write(f"  {entry['at']}  {entry['event']}  {entry['subject']}")
        for name, value in verify.read_receipt(text)["about"].items():
            self.stdout.write(f"  {name}: {value}")
        self.stdout.write(_("没有检查的:"))
        for line in verify.NOT_CHECKED:
            self.stdout.write(f"  - {line}")


def _text_of(path: Path) -> str:
    """The receipt, or the one that a printed receipt carries. Raises UnicodeDecodeError, verify.Bad for a PDF without one."""
    raw = path.read_bytes()
    if not raw.startswith(b"%PDF"):
        return raw.decode("utf-8")
    found = receipt_in(raw)
    if found is None:
        raise verify.Bad("receipt", _("这份 PDF 里没有内嵌的回执签名文件：可能是扫描件，或另存时丢了附件。请用系统下载的原文件。"))
    return found


def _own_lines() -> list[str]:
    """Lines of the public key files beside the private ones; no key is made."""
    paths = [keys.public_path(keys.LOG), keys.public_path(keys.RECEIPTS)]
    return [path.read_text(encoding="utf-8").strip() for path in paths if path.exists()]

