"""异议: filed by anybody, signed in or not; handled and decided by two persons."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from grants.awards.models import Award, Objection, PublicNotice
from grants.awards.numbering import objection_number
from grants.awards.rules import objection_office
from grants.documents.files import store
from grants.documents.models import StoredFile
from grants.people import revealing
from grants.people.models import User
from grants.workflow.door import begin, perform, require
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid
from grants.workflow.rules import PUBLIC

PAPERS = ("pdf", "jpg", "png")
LONGEST = 5000
Upload = bytes | BinaryIO | File | StoredFile


def file_objection(
    notice: PublicNotice,
    *,
    by: Any = PUBLIC,
    kind: str,
    facts: str,
    name: str = "",
    contact: str = "",
    award: Award | None = None,
    upload: Upload | None = None,
    upload_name: str = "",
) -> Objection:
    """File an objection to one award of a notice, or to the notice as a whole. by: a signed-in user, or PUBLIC.

    kind: Objection.Objector — a person gives name and contact, a unit besides them a sealed paper, an anonymous one is kept as a lead.
    Raises NotNow (time over), Invalid naming each field, FileRefused (the upload is not what it says).
    """
    _check(notice, kind, facts, name, contact, award, upload)
    kept = upload if upload is None or isinstance(upload, StoredFile) else _keep(upload, upload_name)
    with transaction.atomic():
        objection = Objection(
            call=notice.call, notice=notice, award=award, number=objection_number(notice),
            filed_by=by if isinstance(by, User) else None, objector_kind=kind, objector_name=name.strip(),
            objector_contact=contact.strip(), facts=facts.strip(), file=kept,
        )  # fmt: skip
        files = {"paper": kept.sha256} if kept else {}
        public = {"kind": str(kind), "award": award.number if award else ""}
        return begin(objection, by=by, facts=Facts(public=public, files=files))


def read_objector(objection: Objection, *, by: User, reason: str) -> tuple[str, str]:
    """(name, contact) in full, for whoever handles or decides; the reading and what it was for are recorded.

    Raises NotYou, Invalid(reason): then nothing was read.
    """
    answer = require(objection_office, objection, by=by)
    revealing.note(objection, by=by, role=answer.role, reason=reason, what=["contact"])
    return objection.objector_name, objection.objector_contact


def _check(
    notice: PublicNotice, kind: str, facts: str, name: str, contact: str, award: Award | None, upload: Upload | None
) -> None:
    problems: dict[str, str] = {}
    if kind not in Objection.Objector.values:
        problems["kind"] = _("请选择异议人类别。")
    if len(facts.strip()) < 10 or len(facts) > LONGEST:
        problems["facts"] = _("请写明具体事实和理由（10 至 %(most)d 字）。") % {"most": LONGEST}
    if kind != Objection.Objector.ANONYMOUS:
        problems |= _named(kind, name, contact, upload)
    if award is not None and not Award.objects.filter(pk=award.pk, notice_id=notice.pk).exists():
        problems["award"] = _("这个项目不在本次公示中。")
    if problems:
        found = {field: [sentence] for field, sentence in problems.items()}
        raise Invalid(_("异议还不能提交：%(first)s") % {"first": next(iter(problems.values()))}, rule="objection_is_complete", problems=found)


def _named(kind: str, name: str, contact: str, upload: Upload | None) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not name.strip():
        problems["name"] = _("请填写真实姓名或单位全称；不愿具名的，请选择“匿名线索”（不影响公示）。")
    if not contact.strip():
        problems["contact"] = _("请填写联系方式，以便书面答复。")
    if kind == Objection.Objector.UNIT and upload is None:
        problems["upload"] = _("单位提出异议，请上传加盖公章的书面材料扫描件。")
    return problems


def _keep(upload: Any, name: str) -> StoredFile:
    return store(upload, name=name or getattr(upload, "name", ""), allowed=PAPERS, max_bytes=settings.MAX_UPLOAD_BYTES)


def accept(objection: Objection, *, by: User, note: str = "") -> Objection:
    """受理: starts the reply period and holds what the objection concerns, in one transaction. Raises NotYou, NotNow."""
    return perform(objection, "accept", by=by, note=note)


def refuse(objection: Objection, reply: str, *, by: User, note: str = "") -> Objection:
    """不予受理, with a written reply."""
    return perform(objection, "refuse", by=by, note=note, reply=reply)


def uphold(objection: Objection, reply: str, *, by: User, note: str = "") -> Objection:
    """异议成立: by another person than who accepted it; cancels the award objected to in the same transaction."""
    return perform(objection, "uphold", by=by, note=note, reply=reply)


def dismiss(objection: Objection, reply: str, *, by: User, note: str = "") -> Objection:
    """异议不成立: by another person; afterwards the held awards return to their notice (effect `awards.resume`)."""
    return perform(objection, "dismiss", by=by, note=note, reply=reply)
