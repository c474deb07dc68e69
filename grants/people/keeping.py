"""单位资料: what an organisation tells every funder anew — who it is, what it did — and the papers it shows again and again, kept once.

Nothing here is part of the registration that the registrar verifies. Only the organisation's own people read it; it leaves the house
when one of them puts it into a bid. Every change is ledgered by name, the words themselves stay here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from grants import clock
from grants.documents import files
from grants.documents.inspection import KINDS, clean_name
from grants.notifications.services import send_all
from grants.people.appointments import holders
from grants.people.journal import enter
from grants.people.machine import member
from grants.people.models import Organisation, PastProject, Story, User, VaultFile
from grants.people.permissions import permissions_of
from grants.workflow.door import require
from grants.workflow.refusals import Invalid

ACCEPTED = ("pdf", "jpg", "png", "docx", "xlsx")
WARNINGS = (30, 7, 0)
"""Days before its expiry on which a file is spoken of; 0: it has expired."""
MOST_PROJECTS = 20


def reads(organisation: Organisation, person: Any) -> bool:
    """Whether a person belongs to the organisation: only its own people see its profile and its files."""
    return bool(permissions_of(person, organisation))


def story_of(organisation: Organisation) -> Story:
    """The organisation's profile; an empty one that is not saved when there is none yet."""
    return Story.objects.filter(organisation=organisation).first() or Story(organisation=organisation)


@transaction.atomic
def save_story(organisation: Organisation, *, by: User, projects: Sequence[Mapping[str, Any]], **texts: str) -> Story:
    """Replace the profile: texts by the names in `Story.TEXTS`, projects with name, year, funder, amount, result.

    Raises NotYou, Invalid (problems by field; a project's as "form-<row>-<column>").
    """
    role = require(member, organisation, by=by).role
    _refuse_long(texts)
    made = _projects(organisation, projects)
    held, _new = Story.objects.select_for_update().get_or_create(organisation=organisation, defaults={"updated_at": clock.now()})
    changed = [name for name in Story.TEXTS if name in texts and getattr(held, name) != texts[name].strip()]
    for name in changed:
        setattr(held, name, texts[name].strip())
    held.updated_at, held.updated_by = clock.now(), by
    held.save()
    organisation.past_projects.all().delete()
    PastProject.objects.bulk_create(made)
    enter("organisation.story", organisation, by=by, role=role, public={"fields": changed, "projects": len(made)})
    return held


def _refuse_long(texts: Mapping[str, str]) -> None:
    problems = {}
    for name, text in texts.items():
        if name not in Story.TEXTS:
            raise LookupError(f"a profile has no text {name!r}")
        if len(text) > Story.MOST:
            problems[name] = [_("最多 %(most)d 个字，现有 %(n)d 个。") % {"most": Story.MOST, "n": len(text)}]
    if problems:
        raise Invalid(_("单位资料需要改正。"), rule="too_long", problems=problems)


def _projects(organisation: Organisation, rows: Sequence[Mapping[str, Any]]) -> list[PastProject]:
    if len(rows) > MOST_PROJECTS:
        raise Invalid(_("最多 %(most)d 个项目，请保留最近的。") % {"most": MOST_PROJECTS}, rule="too_many_rows")
    problems: dict[str, list[str]] = {}
    made = []
    for i, row in enumerate(rows):
        if not str(row.get("name", "")).strip():
            problems[f"form-{i}-name"] = [_("请填写项目名称。")]
        columns = {name: row.get(name) for name in ("year", "amount") if row.get(name) not in (None, "")}
        texts = {name: str(row.get(name, "") or "").strip() for name in ("name", "funder", "result")}
        made.append(PastProject(organisation=organisation, position=i, **texts, **columns))
    if problems:
        raise Invalid(next(iter(problems.values()))[0], rule="rows", problems=problems)
    return made


@transaction.atomic
def keep(
    organisation: Organisation, upload: bytes | File, *, kind: str, by: User, name: str = "", expires_on: date | None = None
) -> VaultFile:
    """Put a file into the organisation's vault. kind: VaultFile.Kind. expires_on: the last day on which it is valid.

    Raises NotYou, Invalid (kind, expired, the same content kept already), FileRefused (size, type, disguise). Ledgered with the hash.
    """
    role = require(member, organisation, by=by).role
    if kind not in VaultFile.Kind.values:
        _refuse("kind", _("请选择文件的种类。"), "kind")
    if expires_on is not None and expires_on < clock.today():
        _refuse("expires_on", _("这份文件已于 %(day)s 过期，请上传在有效期内的。") % {"day": expires_on.isoformat()}, "expired")
    called = clean_name(name or str(getattr(upload, "name", "")))
    stored = files.store(upload, name=called, allowed=set(ACCEPTED) & set(KINDS), max_bytes=settings.MAX_UPLOAD_BYTES)
    if organisation.vault.filter(file=stored).exists():
        _refuse("file", _("资料库里已经有内容完全相同的文件。"), "kept_already")
    kept: VaultFile = organisation.vault.create(
        kind=kind, name=called, file=stored, expires_on=expires_on, added_at=clock.now(), added_by=by
    )
    said = {"kind": kind, "expires_on": expires_on.isoformat() if expires_on else None}
    enter("organisation.vault_added", organisation, by=by, role=role, public=said, files={"file": stored.sha256})
    return kept


@transaction.atomic
def drop(kept: VaultFile, *, by: User) -> None:
    """Take a file out of the vault; bids that use it keep theirs. Raises NotYou. Ledgered."""
    organisation = kept.organisation
    role = require(member, organisation, by=by).role
    said = {"kind": kept.kind}
    enter("organisation.vault_dropped", organisation, by=by, role=role, public=said, files={"file": kept.file_id})
    kept.delete()


def expiring(day: date, organisations: Q | None = None) -> QuerySet[VaultFile]:
    """Files that expire within thirty days of `day` or have expired, unless a newer one of the same kind lasts longer."""
    newer = VaultFile.objects.filter(organisation=OuterRef("organisation"), kind=OuterRef("kind"), expires_on__gt=OuterRef("expires_on"))
    soon = VaultFile.objects.filter(organisations or Q(), expires_on__lte=day + timedelta(days=WARNINGS[0]))
    return soon.exclude(Exists(newer)).select_related("organisation", "file").order_by("expires_on", "pk")


def remind() -> int:
    """Write a letter 30 and 7 days before a file expires, and once when it has; returns how many files were spoken of.

    Called by the clock; safe at any time and any number of times: each threshold is told once, and the letter's key says which.
    """
    told = 0
    for kept in expiring(clock.today()).exclude(warned=WARNINGS[-1]):
        due = threshold((kept.expires_on - clock.today()).days)  # type: ignore[operator]  # filtered: it has a day
        if kept.warned is not None and kept.warned <= due:
            continue
        _warn(kept, due)
        told += 1
    return told


def threshold(days_left: int) -> int:
    """The warning that applies with so many days left: 30, 7, or 0 once the last day is over."""
    if days_left < 0:
        return 0
    return 7 if days_left <= 7 else 30


@transaction.atomic
def _warn(kept: VaultFile, due: int) -> None:
    people: set[User] = set(holders("write_bids", kept.organisation)) | set(holders("sign_for", kept.organisation))
    context = {"kept": kept, "organisation": kept.organisation, "expired": due == 0}
    link = reverse("people:vault", args=[kept.organisation_id])
    to = sorted(people, key=lambda user: str(user.pk))
    send_all(to=to, template="vault_expiring", context=context, key=f"people.vault/{kept.pk}/{due}", link=link)
    VaultFile.objects.filter(pk=kept.pk).update(warned=due)


def _refuse(field: str, sentence: str, rule: str) -> None:
    raise Invalid(sentence, rule=rule, problems={field: [sentence]})
