"""`manage.py passport verify FILE [--key KEYFILE]`, `manage.py passport issue ORGANISATION`: an organisation's signed record."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils.translation import gettext as _

from grants.desk.square import passport
from grants.ledger import keys
from grants.ledger.errors import LedgerError
from grants.ledger.note import BadNote, Verifier
from grants.people.models import Organisation


class Command(BaseCommand):
    help = "Check an organisation's passport against a public key, or write one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("verify", help="exit 1 with the reason when it is not whole or not signed by the key")
        check.add_argument("file", type=Path)
        check.add_argument("--key", type=Path, help="file with the issuing site's public key line; default: this site's own key")
        made = actions.add_parser("issue", help="print the passport of an organisation")
        made.add_argument("organisation", help="its id, credit code or exact name")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(options)
        except (LedgerError, passport.BadPassport) as wrong:
            raise CommandError(str(wrong), returncode=1) from wrong

    def _verify(self, options: dict[str, Any]) -> None:
        trusted = [_key(options["key"])] if options["key"] else keys.verifiers()
        found = passport.verify(_bytes(options["file"]), trusted)
        content = found.content
        line = _("签名有效。%(name)s，%(n)d 个项目，签发于 %(at)s，公钥 %(key)s")
        self.stdout.write(line % {"name": content["organisation"]["name"], "n": len(content["projects"]), "at": content["issued_at"], "key": found.key})

    def _issue(self, options: dict[str, Any]) -> None:
        self.stdout.write(passport.issue(_organisation(options["organisation"])).decode(), ending="")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise CommandError(_("读不出文件 %(path)s：%(why)s") % {"path": path, "why": wrong}) from wrong


def _key(path: Path) -> Verifier:
    try:
        return Verifier.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadNote) as wrong:
        raise CommandError(_("读不出公钥文件 %(path)s：%(why)s") % {"path": path, "why": wrong}) from wrong


def _organisation(text: str) -> Organisation:
    try:
        return Organisation.objects.get(Q(pk=text) if len(text) == 36 else Q(uscc=text) | Q(name=text), state__in=("verified", "suspended"))
    except (Organisation.DoesNotExist, Organisation.MultipleObjectsReturned, ValidationError) as wrong:
        raise CommandError(_("没有这个已核验的单位：%(text)s") % {"text": text}) from wrong
