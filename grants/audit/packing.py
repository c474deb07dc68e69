"""审计资料包: one job of a few parts, sealed when the last is done, taken as one BagIt ZIP that is written while it is sent.

Three kinds, because what may be in a package depends on who asks: the agency's people get the record without each expert's marks and without
personal data; auditors get the marks under expert codes; with a written reason, the originals too. What is kept is files by their hash, so a
package is the same bytes whenever it is taken, a part that was killed is made again, and 2 GB are never held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock, ledger
from grants.audit import bag, parts
from grants.audit.parts import PARTS, Wish
from grants.calls.models import Call
from grants.desk.audit import samples
from grants.desk.audit.scope import AUDITS, READS, opened
from grants.documents.files import keep
from grants.documents.package import Packed, stream_files
from grants.people import security
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import require
from grants.workflow.jobs import Done, Target, job_kind, start
from grants.workflow.models import BulkJob, JobFile, JobItem
from grants.workflow.refusals import Invalid, NotNow, Sentence
from grants.workflow.rules import Rule

TAKEN_AT = "audit:package"
LEAST_REASON = 6  # characters that a reason for personal data has at least


@dataclass(frozen=True)
class Kind:
    """One kind of package: who may ask for it and take it, and what it may hold."""

    code: str
    label: Sentence
    by: Rule
    ballots: bool
    personal: bool

    @property
    def job(self) -> str:
        return f"audit.{self.code}"


KINDS = {
    kind.job: kind
    for kind in (
        Kind("agency", gettext_lazy("资料包（主办方：不含专家逐人评分，已遮盖个人信息）"), READS, ballots=False, personal=False),
        Kind("auditor", gettext_lazy("审计资料包（含以代码列出的评分，已遮盖个人信息）"), AUDITS, ballots=True, personal=False),
        Kind("originals", gettext_lazy("审计资料包（含个人信息原件）"), AUDITS, ballots=True, personal=True),
    )
}
"""Name of the job → kind, from the least to the most that it holds."""


def _call(pk: UUID) -> Call:
    return Call.objects.select_related("agency", "rules_version", "operator").get(pk=pk)


def pack(call: Call, kind: Kind, *, by: Any, sample: samples.Sample | None = None, reason: str = "") -> BulkJob:
    """Start a package. Raises NotYou, NotNow (bids are not opened, one still runs), Invalid (no reason for personal data, a sample not drawn)."""
    require(kind.by, call, by=by)
    check(call, kind, sample, reason)
    target = UUID(sample.id) if sample is not None else call.pk
    items = [Target(f"part:{code}", target if code in ("facts", "bids") else call.pk, str(name)) for code, (name, _part) in PARTS.items()]
    title = _("审计资料包 %(call)s") % {"call": call.code}
    return start(kind.job, call, items, by=by, title=title, note=reason.strip() if kind.personal else "")


def check(call: Call, kind: Kind, sample: samples.Sample | None, reason: str) -> None:
    """Refuse what cannot be packed."""
    if not opened(call):
        raise NotNow(_("开标之前不能出具资料包：那时任何人（包括审计）都看不到谁申报了。请在受理截止后再来。"), rule="bids_opened")
    if kind.personal and len(reason.strip()) < LEAST_REASON:
        sentence = _("请写明为什么需要个人信息原件（不少于 %(n)d 个字），写入台账。") % {"n": LEAST_REASON}
        raise Invalid(sentence, rule="reason_given", problems={"reason": [sentence]})
    if sample is not None and (sample.of != "bids" or not sample.said):
        sentence = _("请选择一次已经抽出的申报书抽样。")
        raise Invalid(sentence, rule="sample_drawn", problems={"sample": [sentence]})


def wish_of(kind: Kind, call: Call, sample: UUID | None = None) -> Wish:
    """sample: the id of a drawn sample, None or the call's own id for all bids. Raises LookupError."""
    found = None if sample in (None, call.pk) else samples.get(call, str(sample))
    return Wish(kind.ballots, kind.personal, found)


# --- the job ------------------------------------------------------------------------------------------------------------------


def _work(item: JobItem) -> Done:
    """生成资料包的一部分"""
    kind, call = KINDS[item.job.kind], _call(item.job.scope_id)
    require(kind.by, call, by=User.objects.filter(pseudonym=item.job.requested_by).first())  # who was dismissed meanwhile gets nothing more
    made = parts.made(item.subject.partition(":")[2], call, wish_of(kind, call, item.object_id))
    return Done(_("%(n)d 个文件") % {"n": len(made)}, made)


def seal(job: BulkJob) -> None:
    """Make the tag files over what the parts made, and write the package's number into the log. In the transaction of the last item."""
    kind, call = KINDS[job.kind], _call(job.scope_id)
    rows = JobFile.objects.filter(item__job=job)
    rows.exclude(path__startswith="data/").delete()  # of an earlier sealing, when parts were made again
    payload = [bag.Item(f.path, f.file_id, f.file.size) for f in rows.filter(path__startswith="data/").select_related("file")]
    bids = job.items.get(subject="part:bids")
    made = _tags(call, job, kind, payload, wish_of(kind, call, bids.object_id))
    last = job.items.order_by("-position")[0]
    JobFile.objects.bulk_create(JobFile(item=last, path=path, file=keep([content], media_type="text/plain")) for path, content in made.items())
    _tell(call, job, kind, payload, bag.number_of(made[bag.TAGS]))


def _tags(call: Call, job: BulkJob, kind: Kind, payload: list[bag.Item], wish: Wish) -> dict[str, bytes]:
    on = job.requested_at.astimezone(clock.TZ).date()
    return tags(call, payload, wish, on, str(job.pk))


def tags(call: Call, payload: list[bag.Item], wish: Wish, on: Any, identifier: str) -> dict[str, bytes]:
    """Everything beside data/: program, guide, and the BagIt tag files over all of it."""
    others = dict(parts.beside(call, wish))
    facts = {
        "Source-Organization": call.agency.name, "External-Identifier": f"{call.code} {identifier}", "External-Description": call.title,
        "Bag-Software-Agent": "gongchuang",
    }  # fmt: skip
    return {**others, **bag.tag_files(payload, others, facts, on)}


def _tell(call: Call, job: BulkJob, kind: Kind, payload: list[bag.Item], number: str) -> None:
    """The number goes into the call's own story: whoever reads the call's log, the agency too, sees that a package exists."""
    public = {
        "job": str(job.pk), "kind": kind.code, "package": number, "files": len(payload), "bytes": sum(item.size for item in payload),
    }  # fmt: skip
    ledger.record(
        event="call.package", actor=str(job.requested_by), role="auditor" if kind.by is AUDITS else "staff", subject=call.subject,
        scope=f"call:{call.pk}", verb="package", source=call.state, target=call.state, public=public, files={"package": number},
    )  # fmt: skip


for _kind in KINDS.values():
    job_kind(_kind.job, _kind.label, by=_kind.by, scope_of=_call, slow=True, finished=seal, taken_at=TAKEN_AT)(_work)


# --- what is taken ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """A sealed package: its files in the order in which they are sent, and its number."""

    job: BulkJob
    kind: Kind
    files: list[Packed]
    number: str

    @property
    def size(self) -> int:
        return sum(packed.file.size for packed in self.files)


def package_of(job: BulkJob) -> Package | None:
    """The package of a job, or None while it is not sealed."""
    rows = JobFile.objects.filter(item__job=job).select_related("file")
    files = sorted((Packed(row.path, row.file) for row in rows), key=lambda packed: (packed.path.startswith("data/"), packed.path))
    tag = next((packed.file for packed in files if packed.path == bag.TAGS), None)
    if tag is None:
        return None
    return Package(job, KINDS[job.kind], files, tag.sha256)


def pieces(package: Package) -> Iterator[bytes]:
    """The ZIP, in one folder named after the call's job as RFC 8493 §4.2 asks; the same bytes each time."""
    folder = folder_of(package.job)
    inside = (Packed(f"{folder}/{packed.path}", packed.file) for packed in package.files)
    return stream_files(inside, at=package.job.requested_at.astimezone(clock.TZ))


def folder_of(job: BulkJob) -> str:
    return f"{bag.safe(job.title.rpartition(' ')[2])}-{str(job.pk)[:8]}"


def remember(package: Package, call: Call, *, by: Any) -> None:
    """Each download is an entry on the call's story, which the agency reads; and one in the security log."""
    role = require(package.kind.by, call, by=by).role
    with transaction.atomic():
        security.note(security.Kind.DOWNLOADED, by=by, detail="call.package")
        ledger.record(
            event="call.download", actor=str(by.pseudonym), role=role, subject=call.subject, scope=f"call:{call.pk}", verb="download",
            source=call.state, target=call.state, public={"what": "package", "kind": package.kind.code, "package": package.number},
        )  # fmt: skip


# --- without a job: the command -------------------------------------------------------------------------------------------------


def made_now(call: Call, kind: Kind, wish: Wish, *, told: Any = lambda _name: None) -> tuple[list[Packed], str, int]:
    """Every part made here and now, sealed: (files in order, number, bytes below data/). told(name) before each part."""
    found: list[Packed] = []
    for code, (name, _part) in PARTS.items():
        told(str(name))
        found += [Packed(path, row) for path, row in parts.made(code, call, wish)]
    payload = [bag.Item(packed.path, packed.file.sha256, packed.file.size) for packed in found]
    tag_files = tags(call, payload, wish, clock.today(), "command")
    beside = [Packed(name, keep([content], media_type="text/plain")) for name, content in tag_files.items()]
    every = sorted([*beside, *found], key=lambda packed: (packed.path.startswith("data/"), packed.path))
    return every, bag.number_of(tag_files[bag.TAGS]), sum(item.size for item in payload)


# --- the demonstration ------------------------------------------------------------------------------------------------------------


def leave_one() -> BulkJob | None:
    """A finished package of the call with most bids, asked for by its agency's auditor; None where no call is opened."""
    rows = Call.objects.filter(closes_at__lte=clock.now()).annotate(n=Count("bids")).order_by("-n", "code")
    call = rows.select_related("agency", "rules_version", "operator").first()
    auditor = User.objects.filter(appointments__role="auditor", appointments__scope_id=call.agency_id, appointments__until=None).first() if call else None
    if call is None or auditor is None:
        return None
    job = pack(call, KINDS["audit.auditor"], by=auditor)
    effects.drain()
    return job
