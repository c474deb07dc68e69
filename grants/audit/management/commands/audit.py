"""`manage.py audit package CALL [--sample N] [--by USER] [--originals WHY] --out FILE`: a call's record as one package, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.audit import packing
from grants.audit.parts import Wish
from grants.calls.models import Call
from grants.desk.audit import samples
from grants.desk.audit.scope import AUDITS
from grants.documents.package import Packed, stream_files
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import Refusal


class Command(BaseCommand):
    help = "The audit package of a call: tables, papers, bids, ballots, log with proofs, and the program that checks it offline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        asked = actions.add_parser("package", help="write the package of one call as a BagIt ZIP")
        asked.add_argument("call", help="the call's code, e.g. YX-2026-01")
        asked.add_argument("--out", type=Path, help="file to write; CALL.zip in this folder without it")
        asked.add_argument("--sample", type=int, metavar="N", help="enclose only N bids, drawn in public: the number is asked for after the list is frozen")
        asked.add_argument("--by", metavar="USER", help="the auditor for whom it is made; needed for --sample and --originals")
        asked.add_argument("--originals", metavar="WHY", help="with personal data and originals; the reason goes into the log")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._package(options)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _package(self, options: dict[str, Any]) -> None:
        call, by = _call(options["call"]), _auditor(options)
        kind = packing.KINDS["audit.originals" if options["originals"] else "audit.auditor" if by else "audit.agency"]
        packing.check(call, kind, None, options["originals"] or "")
        if by is not None:
            require(AUDITS, call, by=by)
        out = options["out"] or Path(f"{call.code}.zip")
        if out.exists():
            raise CommandError(_("%(file)s 已经存在，请另指定文件名。") % {"file": out})
        sample = self._sample(call, options["sample"], by) if options["sample"] else None
        wish = Wish(kind.ballots, kind.personal, sample)
        files, number, size = packing.made_now(call, kind, wish, told=self.stderr.write)
        _remember(call, kind, by, number, {"files": len(files), "bytes": size}, options["originals"])
        _write(out, call, files)
        self.stdout.write(_("已写入 %(file)s：%(n)d 个文件。资料包编号 %(number)s") % {"file": out, "n": len(files), "number": number})

    def _sample(self, call: Call, size: int, by: User | None) -> samples.Sample:
        """A sample drawn now: first the list goes into the log, then the number is asked for at the terminal."""
        earlier = [s for s in samples.of_call(call) if s.of == "bids"]
        reason = _("资料包 %(n)d 份") % {"n": size} if earlier else ""
        frozen = samples.freeze(call, "bids", size, _("终端前当场产生"), by=by, reason=reason)
        found = samples.get(call, frozen)
        self.stdout.write(_("名单已锁定并写入台账，哈希 %(hash)s。请现在当场产生随机数（例如掷骰子），然后输入：") % {"hash": found.digest})
        return samples.say(call, frozen, input(), by=by)


def _call(code: str) -> Call:
    found = Call.objects.select_related("agency", "rules_version", "operator").filter(code=code).first()
    if found is None:
        raise CommandError(_("没有编号为 %(code)s 的征集。") % {"code": code})
    return found


def _auditor(options: dict[str, Any]) -> User | None:
    if options["by"] is None:
        if options["sample"] or options["originals"]:
            raise CommandError(_("抽样和个人信息原件须由审计提出，请用 --by 写明审计人员的用户名。"))
        return None
    found = User.objects.filter(username=options["by"]).first()
    if found is None:
        raise CommandError(_("没有用户 %(name)s。") % {"name": options["by"]})
    return found


def _remember(call: Call, kind: packing.Kind, by: User | None, number: str, counts: dict[str, int], why: str | None) -> None:
    public = {"job": "", "kind": kind.code, "package": number, **counts}
    with transaction.atomic():
        ledger.record(
            event="call.package", actor=str(by.pseudonym) if by else "system", role="auditor" if by else "system", subject=call.subject,
            scope=f"call:{call.pk}", verb="package", source=call.state, target=call.state, public=public, files={"package": number},
            private={"note": why} if why else None,
        )  # fmt: skip


def _write(out: Path, call: Call, files: list[Packed]) -> None:
    folder = call.code
    with out.open("xb") as target:
        for piece in stream_files((Packed(f"{folder}/{f.path}", f.file) for f in files), at=clock.now().astimezone(clock.TZ)):
            target.write(piece)
