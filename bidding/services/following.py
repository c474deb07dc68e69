"""附件后补: a file is declared by name, size and SHA-256 before the deadline, and its bytes follow within the hours that the rules give."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Any, BinaryIO

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from bidding.completeness import asked_attachments
from bidding.declared import due_at
from bidding.models import Bid, DeclaredFile
from bidding.rules import working_copy_open, writer
from bidding.services.attaching import check_expiry, kinds_of, most_bytes
from bidding.services.working_copy import held_for, refuse
from grants import clock, ledger
from grants.documents import files
from grants.documents.inspection import clean_name, kind_of
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import NotNow
from grants.workflow.rules import Ask


@transaction.atomic
def declare(bid: Bid, code: str, name: str, size: int, sha256: str, *, by: User, expires_on: date | None = None) -> DeclaredFile:
    """Announce a file while the working copy is open. size: bytes; sha256: 64 hex digits, any case.

    Raises NotYou, NotNow, Invalid (rules without files that follow, unknown item, no hash, too large, same file twice), FileRefused (type).
    """
    held, _answer = held_for(bid, by)
    asked = next((a for a in asked_attachments(held) if a.code == code), None)
    if due_at(held) is None:
        refuse("code", _("本次征集的规则没有规定附件可以后补，请在截止前上传文件。"), rule="files_follow")
    if asked is None:
        refuse("code", _("本次征集没有要求这项附件，请从附件清单中选择。"), rule="unknown_attachment")
    digest, name = sha256.strip().lower(), clean_name(name)
    if not re.fullmatch("[0-9a-f]{64}", digest):
        refuse("sha256", _("SHA-256 应为 64 位十六进制数字；选择文件后由浏览器自动算出。"), rule="not_a_hash")
    if not 0 < size <= most_bytes(asked):
        refuse("size", _("文件应在 %(n)d MB 以内。") % {"n": most_bytes(asked) // files.MEBIBYTE}, rule="too_large")
    check_expiry(asked, expires_on)
    kind_of(name, kinds_of(asked.media_types))
    if held.declared.filter(sha256=digest).exists() or held.attachments.filter(file_id=digest).exists():
        refuse("sha256", _("这个文件已经声明或上传过。"), rule="same_file")
    return held.declared.create(
        code=code, name=name, size=size, sha256=digest, expires_on=expires_on, declared_at=clock.now(), declared_by=by
    )


@transaction.atomic
def undeclare(row: DeclaredFile, *, by: User) -> None:
    """Take a declaration out of the working copy; versions already submitted keep theirs. Raises NotYou, NotNow."""
    held, _answer = held_for(row.bid, by)
    held.declared.filter(pk=row.pk).delete()


@transaction.atomic
def deliver(row: DeclaredFile, upload: bytes | BinaryIO | File, *, by: User) -> DeclaredFile:
    """The bytes of a declared file: before the deadline, or within the hours after it. An entry of the log says when they came.

    Raises NotYou, NotNow (the hours are over, delivered already), Invalid (another file than declared), FileRefused (disguise, damage).
    """
    held = Bid._base_manager.select_for_update(of=("self",)).select_related(*Bid.door_select, "call__rules_version").get(pk=row.bid_id)
    answer = require(writer, held, by=by)
    row = held.declared.get(pk=row.pk)
    _refuse_late(held, row, by)
    asked = next(a for a in asked_attachments(held) if a.code == row.code)
    content = _checked(upload, row)
    stored = files.store(content, name=row.name, allowed=kinds_of(asked.media_types), max_bytes=most_bytes(asked))
    assert stored.sha256 == row.sha256  # _checked
    row.delivered_at = clock.arrived()
    row.save(update_fields=["delivered_at"])
    public = {"attachment": row.code, "due_at": due.isoformat() if (due := due_at(held)) else ""}
    ledger.record(
        event="bid.file_followed", actor=str(by.pseudonym), role=answer.role, subject=held.subject, scope=f"call:{held.call_id}",
        verb="file_followed", public=public, files={row.code: row.sha256},
    )  # fmt: skip
    return row


def _refuse_late(held: Bid, row: DeclaredFile, by: User) -> None:
    due = due_at(held)
    if row.delivered_at is not None:
        raise NotNow(_("“%(name)s”已经补交。") % {"name": row.name}, rule="delivered")
    if working_copy_open.answer(Ask(by, held, clock.now())).ok:
        return
    if due is None or clock.arrived() >= due or held.state != "submitted":
        at = "" if due is None else due.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M:%S")
        raise NotNow(_("补交附件的时间已于 %(at)s（北京时间）结束。") % {"at": at}, rule="files_follow")


def _checked(upload: bytes | BinaryIO | File, row: DeclaredFile) -> Any:
    """The upload at its beginning again, when it is the file that was declared. Raises Invalid."""
    if isinstance(upload, bytes):
        size, digest = len(upload), hashlib.sha256(upload).hexdigest()
    else:
        digest = hashlib.file_digest(upload, "sha256").hexdigest()  # type: ignore[arg-type]
        size = upload.tell()
        upload.seek(0)
    if (size, digest) != (row.size, row.sha256):
        sentence = _("这不是声明的那个文件：声明的是 %(n)d 字节、SHA-256 %(hash)s…。请选择声明时的原文件，一个字节也不能改。")
        refuse("file", sentence % {"n": row.size, "hash": row.sha256[:12]}, rule="declared_file")
    return upload
