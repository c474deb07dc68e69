"""A call's record as one package, from the command line.

`manage.py audit sample CALL N --by USER --source NAME --round ISSUE --due WHEN | --drand ROUND` freezes a list of bids with the beacon that will decide.
`manage.py audit package CALL [--sample N] [--by USER] [--originals WHY] --out FILE` writes the package; with --sample of the bids that beacon chose.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
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
        told = "enclose only the bids of the last sample of N, frozen before by `audit sample`; drawn here once its beacon has fallen"
        asked.add_argument("--sample", type=int, metavar="N", help=told)
        asked.add_argument("--value", help="the beacon's value, where the sample is not drawn yet; asked for at the terminal without it")
        asked.add_argument("--evidence", help="where the value was published (drand: the signature)")
        asked.add_argument("--by", metavar="USER", help="the auditor for whom it is made; needed for --sample and --originals")
        asked.add_argument("--originals", metavar="WHY", help="with personal data and originals; the reason goes into the log")

        made = actions.add_parser("sample", help="freeze the list of a call's bids, how many are drawn, and the beacon that will decide")
        made.add_argument("call", help="the call's code, e.g. YX-2026-01")
        made.add_argument("size", type=int, metavar="N", help="how many bids are drawn")
        made.add_argument("--by", metavar="USER", required=True, help="the auditor who draws")
        made.add_argument("--drand", type=_round, metavar="ROUND", help="a round of drand quicknet still to come")
        made.add_argument("--source", help="or a named beacon: what it is called, e.g. 中国福利彩票双色球")
        made.add_argument("--round", help="its issue, e.g. 2026039")
        made.add_argument("--due", type=_moment, metavar="WHEN", help="when it falls, Beijing time, e.g. 2026-04-03T21:15")
        made.add_argument("--reason", default="", help="why the list is drawn from once more")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"package": self._package, "sample": self._freeze}[options["action"]](options)
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
        sample = self._sample(call, options, by) if options["sample"] else None
        wish = Wish(kind.ballots, kind.personal, sample)
        files, number, size = packing.made_now(call, kind, wish, told=self.stderr.write)
        _remember(call, kind, by, number, {"files": len(files), "bytes": size}, options["originals"])
        _write(out, call, files)
        self.stdout.write(_("已写入 %(file)s：%(n)d 个文件。资料包编号 %(number)s") % {"file": out, "n": len(files), "number": number})

    def _freeze(self, options: dict[str, Any]) -> None:
        """Into the log first: the list, the size, the beacon. It is drawn by `audit package --sample` or on the auditor's page."""
        call, by = _call(options["call"]), _auditor(options)
        require(AUDITS, call, by=by)
        named = {"kind": "named", "source": options["source"], "round": options["round"], "due": options["due"]}
        if options["drand"] is None and not all(named.values()):
            raise CommandError(_("请写明将来的公共随机源：--source、--round 和 --due 三项，或者 --drand 轮次。"))
        beacon = named if options["drand"] is None else {"kind": "drand", "round": options["drand"]}
        found = samples.get(call, samples.freeze(call, "bids", options["size"], beacon, by=by, reason=options["reason"]))
        told = {"n": found.number, "hash": found.digest, "source": found.source, "due": _when(found)}
        self.stdout.write(_("第 %(n)d 次抽样：名单已锁定并写入台账，哈希 %(hash)s。“%(source)s”在 %(due)s 产生，此后用 audit package --sample 抽取。") % told)

    def _sample(self, call: Call, options: dict[str, Any], by: User | None) -> samples.Sample:
        """The last sample of this size, drawn now if its beacon has fallen and it was not drawn yet. Raises CommandError with the way on, Refusal."""
        size = options["sample"]
        found = next((s for s in reversed(samples.of_call(call)) if s.of == "bids" and s.size == size), None)
        if found is None:
            told = {"n": size, "call": call.code}
            raise CommandError(_("还没有锁定抽取 %(n)d 份申报的名单。请先运行 audit sample %(call)s %(n)d，写明将来的公共随机源，产生以后再来。") % told)
        if found.said and options["value"] is None:
            return found
        if not found.said and not found.ready:
            told = {"source": found.source, "due": _when(found)}
            raise CommandError(_("名单已经锁定，但公共随机源“%(source)s”要到 %(due)s 才产生，此后再运行。没有生成资料包。") % told)
        value = options["value"] or self._asked(_("请输入“%(source)s”的结果：") % {"source": found.source})
        evidence = options["evidence"] or self._asked(_("请输入依据（网址、公告名称和日期；drand 为签名）："))
        return samples.say(call, found.id, value, by=by, evidence=evidence)

    def _asked(self, question: str) -> str:
        self.stdout.write(question)
        try:
            return input()
        except EOFError as nobody:
            raise CommandError(_("没有人在终端前；请用 --value 和 --evidence 写明结果和依据。")) from nobody


def _when(found: samples.Sample) -> str:
    return found.due.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M:%S") if found.due is not None else ""


def _moment(text: str) -> datetime:
    """Beijing time unless it says otherwise. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=clock.TZ)


def _round(text: str) -> int:
    """A round of drand. Raises ValueError."""
    if not 0 < int(text) < 10**10:
        raise ValueError(text)
    return int(text)


def _call(code: str) -> Call:
    found = Call.objects.select_related("agency", "rules_version", "operator").filter(code=code).first()
    if found is None:
        raise CommandError(_("没有编号为 %(code)s 的征集。") % {"code": code})
    return found


def _auditor(options: dict[str, Any]) -> User | None:
    if options["by"] is None:
        if options.get("sample") or options["originals"]:
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
