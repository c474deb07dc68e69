"""`manage.py ledger verify|export|prove|sequence|checkpoint|show|stats|key|keys|cosign|guard|roles`: the log from the command line."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from grants.ledger import cosigning, export, keys, proofs, roles, sequencer, sweeping, triggers
from grants.ledger.errors import LedgerError, NotProvable
from grants.ledger.log import Entry, history
from grants.ledger.models import AuditEvent, AuditLeaf, AuditPayload, Checkpoint
from grants.ledger.note import BadNote, Verifier
from grants.ledger.offline import verify as offline
from grants.ledger.verification import Report, verify

Pin = tuple[int, bytes]


class Command(BaseCommand):
    help = "The append-only log: check it, export it, prove one event, place and sign what is waiting, show one subject's history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("verify", help="recompute everything, or an exported folder; exit 1 with the first bad interval")
        check.add_argument("folder", nargs="?", type=Path, help="an exported folder; without it, the database")
        check.add_argument(
            "--key", type=Path, action="append", default=[], help="file with a public key line kept outside this machine"
        )
        check.add_argument("--pin", type=_pin, action="append", default=[], help="SIZE:ROOT kept outside; root in hex or base64")
        take = actions.add_parser("export", help="write the whole log into a new folder that verify.py checks anywhere")
        take.add_argument("folder", type=Path)
        take.add_argument("--payloads", action="store_true", help="with private payloads (personal data)")
        prove = actions.add_parser("prove", help="the proof that an event is in the log, or that one signed size continues another")
        prove.add_argument("what", help="an event's id (a UUID), or OLD:NEW, two signed sizes")
        prove.add_argument("--out", type=Path, help="file to write; without it, standard output")
        cosign = actions.add_parser("cosign", help="take in a witness's cosignature of a checkpoint")
        cosign.add_argument("note", type=Path, help="the checkpoint as the witness returned it, with its line")
        actions.add_parser("sweep", help="the nightly check, now; its result stands on the operations page")
        actions.add_parser("keys", help="print every public key line")
        roles = actions.add_parser("roles", help="print the SQL of an application role that may only add to the log (PostgreSQL)")
        roles.add_argument("--app", default="gongchuang_app", help="the role the web server and workers use")
        roles.add_argument("--owner", default="gongchuang_owner", help="the role that owns the tables; cannot sign in")
        actions.add_parser("sequence", help="give every waiting event its place in the tree")
        actions.add_parser("checkpoint", help="place what is waiting and sign the tree")
        actions.add_parser("show", help="the history of one subject").add_argument("subject", help="e.g. bid:<uuid>")
        actions.add_parser("stats", help="how much there is, and the newest signed root")
        actions.add_parser("key", help="print the public key line to give to auditors")
        actions.add_parser("guard", help="install the database triggers again")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(options)
        except LedgerError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _verify(self, options: dict[str, Any]) -> None:
        if options["folder"] is not None:
            self._verify_folder(options)
            return
        verifiers = [_verifier(path) for path in options["key"]] or None
        report = verify(pins=dict(options["pin"]), verifiers=verifiers)
        for warning in report.warnings:
            self.stderr.write(_("注意:%(warning)s") % {"warning": warning})
        if report.fault is not None:
            raise CommandError(_("台账校验不通过。%(fault)s") % {"fault": report.fault}, returncode=1)
        self.stdout.write(_summary(report))

    def _verify_folder(self, options: dict[str, Any]) -> None:
        pins = [f"--pin={size}:{root.hex()}" for size, root in options["pin"]]
        code = offline.main([str(options["folder"]), *pins, *(f"--key={path}" for path in options["key"])])
        if code:
            raise CommandError(_("导出的台账校验不通过。"), returncode=code)

    def _export(self, options: dict[str, Any]) -> None:
        def told(done: int, total: int) -> None:
            self.stderr.write(f"{done}/{total}")

        made = export.export(options["folder"], payloads=options["payloads"], progress=told)
        self.stdout.write(
            _("已导出条目 %(entries)s、检查点 %(checkpoints)s、附文 %(payloads)s 到 %(folder)s。")
            % {"entries": made.entries, "checkpoints": made.checkpoints, "payloads": made.payloads, "folder": options["folder"]}
        )
        self.stdout.write(_("核对:python3 -S -E %(folder)s/verify.py %(folder)s") % {"folder": options["folder"]})

    def _prove(self, options: dict[str, Any]) -> None:
        text = _proof(options["what"])
        if options["out"]:
            options["out"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")

    def _cosign(self, options: dict[str, Any]) -> None:
        taken = cosigning.take(options["note"].read_text(encoding="utf-8"))
        self.stdout.write(_("已收下 %(count)s 个联署。") % {"count": taken})

    def _sweep(self, options: dict[str, Any]) -> None:
        found = sweeping.sweep()
        if not found.ok:
            raise CommandError(_("台账校验不通过。%(fault)s") % {"fault": found.detail}, returncode=1)
        self.stdout.write(_("台账完整:%(n)s 条,用时 %(seconds).1f 秒。") % {"n": found.leaves, "seconds": found.seconds})

    def _keys(self, options: dict[str, Any]) -> None:
        self.stdout.write("\n".join(str(key) for key in keys.published()))

    def _roles(self, options: dict[str, Any]) -> None:
        self.stdout.write(roles.sql(app=options["app"], owner=options["owner"]))

    def _sequence(self, options: dict[str, Any]) -> None:
        total = 0
        while placed := sequencer.sequence(sweep=True):
            total += placed
        self.stdout.write(_("已入序 %(count)s 条。") % {"count": total})

    def _checkpoint(self, options: dict[str, Any]) -> None:
        made = sequencer.checkpoint()
        self.stdout.write(made.note if made else _("台账为空,没有可签署的内容。"))

    def _show(self, options: dict[str, Any]) -> None:
        entries = history(options["subject"])
        if not entries:
            raise CommandError(_("台账里没有 %(subject)s 的记录;写法如 bid:<uuid>。") % {"subject": options["subject"]})
        for entry in entries:
            self.stdout.write(_line(entry))

    def _stats(self, options: dict[str, Any]) -> None:
        newest = Checkpoint.objects.order_by("-size").first()
        facts = {
            "events": AuditEvent.objects.count(),
            "leaves": AuditLeaf.objects.count(),
            "unsequenced": sequencer.unplaced(),
            "payloads": AuditPayload.objects.count(),
            "checkpoints": Checkpoint.objects.count(),
            "pin": f"{newest.size}:{bytes(newest.root).hex()}" if newest else "",
        }
        self.stdout.write(json.dumps(facts, indent=2))

    def _key(self, options: dict[str, Any]) -> None:
        self.stdout.write(str(keys.verifier()))

    def _guard(self, options: dict[str, Any]) -> None:
        triggers.install(connection)
        self.stdout.write(_("触发器已安装。"))


def _proof(what: str) -> str:
    """The proof file of an event's id or of two sizes. Raises NotProvable, LedgerBroken."""
    old, colon, new = what.partition(":")
    if colon and old.isdigit() and new.isdigit():
        return proofs.consistency(int(old), int(new)).text()
    try:
        event = AuditEvent.objects.get(uid=uuid.UUID(what))
    except (ValueError, AuditEvent.DoesNotExist) as absent:
        raise NotProvable(_("台账里没有编号为 %(what)s 的事件。") % {"what": what}) from absent
    found = proofs.inclusion(event)
    if found is None:
        raise NotProvable(_("该事件还没有检查点覆盖,一般一分钟内就有;请稍后再试。"))
    return found.text()


def _summary(report: Report) -> str:
    lines = [
        _("台账完整。条目 %(leaves)s,检查点 %(checkpoints)s,外部留存根 %(pins)s,附文 %(payloads)s(已删除 %(erased)s)。"),
        _("检查点之后 %(unanchored)s 条,未入序 %(unsequenced)s 条:这些尚无签名保护。"),
        _("当前根 %(leaves)s:%(root)s"),
    ]
    facts = {name: getattr(report, name) for name in Report.__dataclass_fields__}
    return "\n".join([*(line % facts for line in lines), *_gone(report)])


def _gone(report: Report) -> list[str]:
    """Which payloads were erased and on what ground; those that nobody accounted for first."""
    unsaid = [_("事件 %(uid)s 的附文不在了，台账里却没有删除它的记录：请查明是谁删除的。") % {"uid": uid} for uid, ground in report.gone.items() if not ground]
    said = [_("事件 %(uid)s 的附文已依法删除：%(ground)s") % {"uid": uid, "ground": ground} for uid, ground in report.gone.items() if ground]
    return [*unsaid, *said]


def _line(entry: Entry) -> str:
    moved = f"{entry.source} → {entry.target}" if entry.source != entry.target else entry.target
    private = _("(附文已删除)") if entry.erased else json.dumps(entry.private, ensure_ascii=False) if entry.private else ""
    public = json.dumps(entry.public, ensure_ascii=False) if entry.public else ""
    return "  ".join(
        filter(None, [f"{entry.at:%Y-%m-%d %H:%M:%S}Z", entry.event, moved, entry.role, entry.actor, public, private])
    )


def _verifier(path: Path) -> Verifier:
    try:
        return Verifier.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadNote) as wrong:
        raise CommandError(_("读不出公钥文件 %(path)s:%(why)s") % {"path": path, "why": wrong}) from wrong


def _pin(text: str) -> Pin:
    size, _colon, root = text.partition(":")
    if not (size.isascii() and size.isdigit()):
        raise CommandError(_("--pin 写成 SIZE:ROOT,例如 1200:5dc9da79…(64 位十六进制或 base64)。"))
    try:
        raw = bytes.fromhex(root) if len(root) == 64 else base64.b64decode(root, validate=True)
    except (ValueError, binascii.Error) as wrong:
        raise CommandError(_("--pin 的根看不懂:%(root)s") % {"root": root}) from wrong
    if len(raw) != 32:
        raise CommandError(_("--pin 的根应为 32 字节,这里是 %(count)s 字节。") % {"count": len(raw)})
    return int(size), raw
