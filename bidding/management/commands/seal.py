"""Sealing on an offline machine: `manage.py seal identity|ceremony|rehearse|open|lost|blank|bid|restore`. No database is touched.

    seal identity finance.age                                             an officer's key; the passphrase is printed once
    seal ceremony KEYS --call YX-2026-01 --officer 财务=age1… --officer 纪检=age1… --officer 办公室=age1…
    seal rehearse KEYS --identity 财务=finance.age --identity 纪检=audit.age
    seal open KEYS BIDS OUT --identity 财务=finance.age --identity 纪检=audit.age
    seal lost KEYS BIDS OUT                                               too few keys are left: the opening record says so
    seal blank SHEET.json answers.toml                                    a bidder's answers, to be filled in
    seal bid SHEET.json answers.toml OUT --recipient age1…                seal them: the envelope to upload, and the kept copy
    seal restore BIDS/x COPY OUT/x                                        a bid from the bidder's kept copy

Passphrases are asked for, or read from the environment variable SEAL_PASSPHRASES (one per line, in the order of --identity).
Exit 1 with a sentence when something is refused; 2 when a bid of many did not open (the others did).
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bidding.sealed_offline import problems
from bidding.sealing import answers, ceremony, envelope, folder, handover, kept, keys, opening, sheet
from bidding.sealing.refusals import SealRefused
from grants import clock
from grants.ledger.log import rfc3339


class Command(BaseCommand):
    help = "Sealed bids: officers' keys, the ceremony, the rehearsal and the opening, as files and without a database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("identity", help="make an officer's key").add_argument("file", type=Path, help="where to write it, e.g. finance.age")
        make = actions.add_parser("ceremony", help="make the key of a call")
        make.add_argument("keys", type=Path, help="folder to write")
        make.add_argument("--call", required=True, help="code of the call")
        make.add_argument("--officer", action="append", default=[], type=_pair, help="NAME=age1…, once for each officer")
        make.add_argument("--threshold", type=int, default=2, help="officers needed to open (default 2)")
        practise = actions.add_parser("rehearse", help="a group opens the test envelope")
        unseal = actions.add_parser("open", help="open every bid of a folder and write the opening record")
        for parser_ in (practise, unseal):
            parser_.add_argument("keys", type=Path, help="folder of the ceremony")
            parser_.add_argument("--identity", action="append", default=[], type=_pair, help="NAME=FILE, once for each officer of the group")
        unseal.add_argument("bids", type=Path, help="folder with one folder for each bid")
        unseal.add_argument("out", type=Path, help="folder to write; must not exist")
        gone = actions.add_parser("lost", help="too few keys are left to open: write the opening record that says so, then restore from kept copies")
        gone.add_argument("keys", type=Path, help="folder of the ceremony")
        gone.add_argument("bids", type=Path, help="folder with one folder for each bid")
        gone.add_argument("out", type=Path, help="folder to write; must not exist")
        empty = actions.add_parser("blank", help="write an answers file for the sheet of a bid")
        filled = actions.add_parser("bid", help="seal a bidder's answers: an envelope to upload, and the kept copy")
        for parser_ in (empty, filled):
            parser_.add_argument("sheet", type=Path, help="the sheet of this bid, downloaded from its page")
            parser_.add_argument("answers", type=Path, help="TOML or JSON")
        filled.add_argument("out", type=Path, help="folder to write; must not exist")
        filled.add_argument("--recipient", default="", help="the call's recipient as the notice prints it: another one is refused")
        restore = actions.add_parser("restore", help="a bid from the bidder's kept copy, proved against its header")
        restore.add_argument("bid", type=Path, help="folder with header.json")
        restore.add_argument("copy", type=Path, help="the kept copy, unpacked")
        restore.add_argument("out", type=Path, help="folder to write; must not exist")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(options)
        except SealRefused as refusal:
            raise CommandError(_said(refusal)) from refusal
        except OSError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _identity(self, options: dict[str, Any]) -> None:
        made = keys.generate_identity()
        with options["file"].open("xb") as file:
            file.write(made.protected)
        self.stdout.write(_("公钥(交给办理密钥仪式的人):%(key)s") % {"key": made.recipient})
        self.stdout.write(_("口令(只显示这一次,请抄在纸上,与钥匙文件分开保存):%(words)s") % {"words": made.passphrase})

    def _ceremony(self, options: dict[str, Any]) -> None:
        officers = [keys.Officer(name, recipient) for name, recipient in options["officer"]]
        made = ceremony.make_call_key(options["call"], officers, options["threshold"])
        folder.write_key(options["keys"], made)
        self.stdout.write(_("征集公钥:%(key)s") % {"key": made.recipient})
        self.stdout.write(_("请在征集的“密封与开标”页面交给系统:%(file)s(里面没有任何秘密)") % {"file": options["keys"] / handover.NAME})
        self._left(options["keys"], made)

    def _rehearse(self, options: dict[str, Any]) -> None:
        key = folder.read_key(options["keys"])
        group = ceremony.rehearse(key, self._unlocked(options["identity"]))
        folder.note_rehearsal(options["keys"], group, rfc3339(clock.now()))
        self.stdout.write(_("演练通过:%(group)s") % {"group": "、".join(group)})
        self._left(options["keys"], key)

    def _left(self, path: Path, key: ceremony.CallKey) -> None:
        left = ceremony.unrehearsed(key, folder.rehearsed(path))
        if left:
            named = ";".join("、".join(group) for group in left)
            self.stdout.write(_("还有 %(n)d 组没有演练,全部通过后才可开始受理:%(left)s") % {"n": len(left), "left": named})
        else:
            self.stdout.write(_("全部 %(n)d 组都已演练,可以开始受理。") % {"n": len(key.shares)})

    def _open(self, options: dict[str, Any]) -> None:
        key = folder.read_key(options["keys"])
        secrets = self._unlocked(options["identity"])
        secret = ceremony.recover(key, secrets)
        options["out"].mkdir(parents=True)
        outcomes = []
        for name, bid in folder.bids(options["bids"]):
            [outcome] = opening.open_all([bid], secret)
            self._one(options["out"], name, outcome)
            outcomes.append(opening.Outcome(outcome.sealed, None, outcome.refusal))
        said = opening.record(key.call, key.share_of(secrets)[0], rfc3339(clock.now()), outcomes)
        (options["out"] / "opening.json").write_bytes(said)
        failed = sum(1 for outcome in outcomes if outcome.refusal)
        self.stdout.write(_("开标记录:共 %(all)d 份,打开 %(ok)d 份。") % {"all": len(outcomes), "ok": len(outcomes) - failed})
        if failed:
            raise CommandError(_("%(n)d 份没有打开,见开标记录;其余不受影响。") % {"n": failed}, returncode=2)

    def _one(self, out: Path, name: str, outcome: opening.Outcome) -> None:
        if outcome.content is not None:
            folder.write_opened(out / name, outcome.content)
        elif outcome.refusal is not None:
            self.stderr.write(f"{name}: {_said(outcome.refusal)}")

    def _lost(self, options: dict[str, Any]) -> None:
        key = folder.read_key(options["keys"])
        outcomes = list(opening.all_lost(bid for _name, bid in folder.bids(options["bids"])))
        options["out"].mkdir(parents=True)
        said = opening.record(key.call, [], rfc3339(clock.now()), outcomes, why=opening.LOST)
        (options["out"] / "opening.json").write_bytes(said)
        self.stdout.write(_("开标记录:密钥丢失,%(n)d 份都没有打开;请各投标单位用投标留存包恢复(seal restore)。") % {"n": len(outcomes)})

    def _blank(self, options: dict[str, Any]) -> None:
        found = sheet.read(options["sheet"].read_bytes(), options["sheet"].name)
        with options["answers"].open("x", encoding="utf-8") as file:
            file.write(sheet.blank_answers(found))

    def _bid(self, options: dict[str, Any]) -> None:
        found = sheet.read(options["sheet"].read_bytes(), options["sheet"].name)
        if options["recipient"] and options["recipient"] != found.recipient:
            raise SealRefused("other_key", found.recipient)
        told = answers.read(options["answers"])
        attachments = answers.attached(options["answers"].parent, told["attachments"])
        sealed, copy = sheet.seal(found, told["answers"], told["pledges"], attachments)
        self._judge(found, told, attachments)
        options["out"].mkdir(parents=True)
        (options["out"] / "kept-copy.zip").write_bytes(kept.pack(copy))
        (options["out"] / "sealed-bid.zip").write_bytes(sheet.pack(sealed))
        left = sheet.blanks(found, told["answers"])
        if left:
            self.stdout.write(_("必填而没有填写:%(left)s") % {"left": ";".join(left)})
        digest = envelope.hash_of(sealed.header)
        self.stdout.write(_("已封标:sealed-bid.zip 上传,kept-copy.zip(投标留存包)自己保管。投标头摘要 %(hash)s") % {"hash": digest})

    def _judge(self, found: sheet.Sheet, told: dict[str, Any], attachments: dict[str, bytes]) -> None:
        """Refuse what the page would refuse, all of it at once, in its sentences."""
        wrong = problems(found, told["answers"], told["pledges"], attachments)
        for control, sentence in wrong:
            self.stderr.write(f"{control}: {sentence}")
        if wrong:
            raise CommandError(_("有 %(n)d 处须先改正，没有封标。") % {"n": len(wrong)})

    def _restore(self, options: dict[str, Any]) -> None:
        header = folder.read_bid(options["bid"]).header
        folder.write_opened(options["out"], envelope.restored(header, folder.read_copy(options["copy"])))
        self.stdout.write(_("与投标时的承诺值一致,已恢复。"))

    def _unlocked(self, identities: list[tuple[str, str]]) -> dict[str, str]:
        given = [line for line in os.environ.get("SEAL_PASSPHRASES", "").splitlines() if line]
        found: dict[str, str] = {}
        for i, (name, path) in enumerate(identities):
            words = given[i] if i < len(given) else _asked(name)
            found[name] = keys.unlock(Path(path).read_bytes(), words, name=name)
        return found


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(_("需要“%(name)s”的口令:请在终端运行,或设置 SEAL_PASSPHRASES。") % {"name": name})
    return getpass.getpass(_("“%(name)s”的口令:") % {"name": name})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(text)
    return name, value


def _said(refusal: SealRefused) -> str:
    return refusal.sentence if (get_language() or "").startswith("zh") else refusal.english
