"""Attachments: kept by hash, checked by content, one item of the call's list at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from bidding.completeness import asked_attachments
from bidding.models import Attachment, Bid
from bidding.services.working_copy import held_for, refuse
from grants import clock
from grants.documents import files
from grants.documents.anonymous import NotReadable, without_author
from grants.documents.inspection import KINDS, clean_name
from grants.documents.models import StoredFile
from grants.people.models import User, VaultFile


@transaction.atomic
def attach(bid: Bid, code: str, upload: bytes | BinaryIO | File, *, by: User, name: str = "", expires_on: date | None = None) -> Attachment:
    """Keep an upload as the answer to one item of the attachment list. name: what the file is called (default: the upload's own).

    Raises NotYou, NotNow, Invalid (unknown item, expiry missing or past, same name twice), FileRefused (size, type, disguise).
    """
    held, _answer = held_for(bid, by)
    asked = next((a for a in asked_attachments(held) if a.code == code), None)
    if asked is None:
        refuse("code", _("本次征集没有要求这项附件，请从附件清单中选择。"), rule="unknown_attachment")
    check_expiry(asked, expires_on)
    name = clean_name(name or str(getattr(upload, "name", "")))
    if held.attachments.filter(code=code, name=name).exists():
        refuse("file", _("“%(name)s”已经上传过；如要替换，请先删除原文件。") % {"name": name}, rule="same_name")
    return take(held, asked, upload, name=name, expires_on=expires_on, by=by)


def take(held: Bid, asked: Any, upload: bytes | BinaryIO | File, *, name: str, expires_on: date | None, by: Any) -> Attachment:
    """Keep a file for an item of the attachment list on a bid whose row is held by the caller, who has asked who and when.

    Raises Invalid (a nameless copy that cannot be cleaned), FileRefused (name, size, type, disguise).
    """
    name = clean_name(name)
    stored = files.store(upload, name=name, allowed=kinds_of(asked.media_types), max_bytes=most_bytes(asked))
    return held.attachments.create(
        code=asked.code, name=name, file=_nameless(asked, stored, name), expires_on=expires_on, added_at=clock.now(), added_by=by
    )


@transaction.atomic
def attach_kept(bid: Bid, code: str, kept: VaultFile, *, by: User) -> Attachment:
    """Use a file of the organisation's vault as the answer to one item of the attachment list; its expiry comes along.

    Raises NotYou, NotNow, Invalid (another organisation's file, unknown item, type or size not accepted, expired, attached already).
    """
    held, _answer = held_for(bid, by)
    asked = next((a for a in asked_attachments(held) if a.code == code), None)
    if asked is None or kept.organisation_id != held.organisation_id:
        refuse("code", _("本次征集没有要求这项附件，请从附件清单中选择。"), rule="unknown_attachment")
    if not fits(asked, kept):
        sentence = _("“%(name)s”的格式或大小不符合“%(item)s”的要求，请另行上传。")
        refuse("file", sentence % {"name": kept.name, "item": asked.name}, rule="vault_file_fits")
    check_expiry(asked, kept.expires_on)
    if held.attachments.filter(code=code, file=kept.file).exists() or held.attachments.filter(code=code, name=kept.name).exists():
        refuse("file", _("“%(name)s”已经上传过；如要替换，请先删除原文件。") % {"name": kept.name}, rule="same_name")
    return held.attachments.create(
        code=code, name=kept.name, file=_nameless(asked, kept.file, kept.name), expires_on=kept.expires_on, added_at=clock.now(), added_by=by
    )


def _nameless(asked: Any, stored: StoredFile, name: str) -> StoredFile:
    """The file itself or, for a copy that reviewers read without knowing the bidder, one without author, title and other properties."""
    if not asked.redacts:
        return stored
    with files.open_file(stored.sha256) as kept:
        content = kept.read()
    try:
        clean = without_author(content)
    except NotReadable:
        refuse("file", _("“%(name)s”打不开或加了密码，不能清除文件属性里的姓名和单位，请重新导出为不加密的 PDF。") % {"name": name}, rule="nameless_copy")
    return files.store(clean, name=name, allowed={"pdf"}, max_bytes=max(len(clean), 1))


def fits(asked: Any, kept: VaultFile) -> bool:
    """Whether a file of the vault is of a type and size that an item of the attachment list accepts."""
    return kept.file.media_type in {str(m) for m in asked.media_types} and kept.file.size <= asked.max_mb * files.MEBIBYTE


def kinds_of(media_types: Iterable[str]) -> set[str]:
    """Keys of `documents.inspection.KINDS` for the media types that a call accepts."""
    wanted = {str(m) for m in media_types}
    return {key for key, kind in KINDS.items() if kind.media_type in wanted}


def most_bytes(asked: Any) -> int:
    """The largest file that an item of the attachment list accepts here."""
    return min(asked.max_mb * files.MEBIBYTE, settings.MAX_UPLOAD_BYTES)


def check_expiry(asked: Any, expires_on: date | None) -> None:
    """Raises Invalid where an expiry date is asked for and is missing or past."""
    if not asked.expires:
        return
    if expires_on is None:
        refuse("expires_on", _("请填写“%(name)s”的有效期截止日。") % {"name": asked.name}, rule="expiry_missing")
    elif expires_on < clock.today():
        sentence = _("“%(name)s”已于 %(day)s 过期，请更换在有效期内的文件。") % {"name": asked.name, "day": expires_on.isoformat()}
        refuse("expires_on", sentence, rule="expired")


@transaction.atomic
def detach(attachment: Attachment, *, by: User) -> None:
    """Remove an attachment from the working copy; versions already submitted keep theirs. Raises NotYou, NotNow."""
    held, _answer = held_for(attachment.bid, by)
    held.attachments.filter(pk=attachment.pk).delete()


