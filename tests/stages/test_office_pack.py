"""The award pack: one job, one ZIP; what cannot be made says why and the rest goes on; every download is in the ledger."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar
from pypdf import PdfReader

from grants import clock
from grants.awards.models import Award, Contract
from grants.desk import pack
from grants.documents.files import store
from grants.documents.package import Packed, stream_zip
from grants.ledger.models import AuditEvent
from grants.people.models import Organisation, User
from grants.workflow import effects, jobs
from grants.workflow.door import perform
from grants.workflow.models import BulkJob, JobItem, Outbox
from grants.workflow.refusals import Invalid, NotYou
from tests.world import awards as world
from tests.world import people, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Judged, list[Award]]]:
    """Two confirmed awards and one bid that was not chosen; no contract yet."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["90000.00", "80000.00", "70000.00"], shares=["0.9", "0.85", "0.4"])
        world.proposed(judged)
        yield judged, world.confirmed(judged)


@pytest.fixture(autouse=True)
def contract_day(made: Any) -> Iterator[None]:
    with clock.at(world.contract_day(made[1][0])):
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def zip_of(client: Client, job: BulkJob) -> zipfile.ZipFile:
    answer = client.get(reverse("desk:job_package", args=[job.pk]))
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]


def test_one_click_makes_everything_and_the_index_names_every_hash(made: Any) -> None:
    """Contracts drafted and printed, plan that adds up, dates, notice, letters to all three bidders; the ZIP is sound."""
    judged, awards = made
    client = signed_in(judged.desk.officer)
    assert "其中 2 个还没有协议" in client.get(reverse("desk:award_pack", args=[judged.call.pk])).content.decode()
    answer = client.post(reverse("desk:award_pack", args=[judged.call.pk]))
    job = BulkJob.objects.get()
    assert answer.headers["Location"] == reverse("desk:job", args=[job.pk])
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 3, 0), list(job.items.values_list("outcome", flat=True))
    package = zip_of(client, job)
    assert package.testzip() is None
    contract = Contract.objects.get(award=awards[0])
    names = package.namelist()
    assert f"{awards[0].number}/{contract.number.replace('/', '-')}.pdf" in names
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(package.read(names[0]))).pages) if names[0].endswith(".pdf") else ""
    assert not text or contract.number in text
    plan = openpyxl.load_workbook(io.BytesIO(package.read("全部/拨款计划.xlsx"))).active
    assert plan is not None
    rows = list(plan.iter_rows(values_only=True))
    assert sum(Decimal(str(r[5])) for r in rows[1:-1]) == Decimal(str(rows[-1][5])) == sum(a.amount for a in awards)
    entries = Calendar.from_ical(package.read("全部/报告日历.ics")).walk("VEVENT")
    assert len(entries) == len({str(e["uid"]) for e in entries}) >= 4
    letters = package.read("全部/结果通知.txt").decode()
    assert letters.count("您好") == 3
    index = list(csv.reader(io.StringIO(package.read("index.csv").decode("utf-8-sig"))))
    assert {line[0] for line in index[1:]} == set(names) - {"index.csv"}
    for path, size, digest in index[1:]:
        assert hashlib.sha256(package.read(path)).hexdigest() == digest
        assert len(package.read(path)) == int(size)


def test_the_account_that_is_not_verified_is_said_and_resumed_after_it_was_mended(made: Any) -> None:
    judged, awards = made
    body = Organisation.objects.filter(pk=awards[0].bid.organisation_id)
    held = body.values("account_verified_at", "account_verified_by")[0]
    body.update(account_verified_at=None, account_verified_by=None)
    job = pack.award_pack(judged.call, by=judged.desk.officer)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 2, 1)
    assert "收款账户还没有核验" in job.items.get(subject=awards[0].subject).outcome
    assert not Contract.objects.filter(award=awards[0]).exists(), "nothing half made"
    body.update(**held)
    jobs.resume(job, by=judged.desk.officer)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 3, 0)
    assert Contract.objects.filter(award=awards[0]).count() == 1


def test_a_worker_that_dies_in_the_middle_leaves_the_item_to_the_next(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease of the dead worker runs out; what it made is not there twice: one contract, one set of files."""
    judged, awards = made

    class Killed(BaseException):
        """Not an Exception: nothing catches it, as nothing catches SIGKILL."""

    job = pack.award_pack(judged.call, by=judged.desk.officer)
    monkeypatch.setattr(effects, "LEASE", effects.timedelta(seconds=0))
    with monkeypatch.context() as dying:
        dying.setattr(jobs, "_mark", lambda *a: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 0, 0)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 3, 0)
    assert Contract.objects.count() == 2
    item = JobItem.objects.get(subject=awards[0].subject)
    assert item.files.count() == 3
    assert Outbox.objects.filter(task=pack.PACK, done_at=None).count() == 0


def test_stopped_before_it_began_it_makes_nothing(made: Any) -> None:
    judged, _awards = made
    job = pack.award_pack(judged.call, by=judged.desk.officer)
    jobs.cancel(job, by=judged.desk.officer)
    effects.drain()
    assert not Contract.objects.exists()
    assert signed_in(judged.desk.officer).get(reverse("desk:job_package", args=[job.pk])).status_code == 404


def test_who_may_make_take_and_who_finds_nothing(made: Any) -> None:
    """Officer makes; approver, finance and auditor may take; every download is an entry; bidders and other agencies find nothing."""
    judged, _awards = made
    for who in (judged.desk.approver, judged.desk.finance, judged.desk.auditor):
        with pytest.raises(NotYou):
            pack.award_pack(judged.call, by=who)
    job = pack.award_pack(judged.call, by=judged.desk.officer)
    effects.drain()
    for who in (judged.desk.officer, judged.desk.approver, judged.desk.auditor):
        zip_of(signed_in(who), job)
    entries = AuditEvent.objects.filter(event="job.download")
    assert entries.count() == 3
    for stranger in (judged.bodies[0].signatory, people.office().officer):
        for name in ("job", "job_package"):
            assert signed_in(stranger).get(reverse(f"desk:{name}", args=[job.pk])).status_code == 404
        assert signed_in(stranger).get(reverse("desk:award_pack", args=[judged.call.pk])).status_code == 404
    assert entries.count() == 3


def test_a_call_without_confirmed_awards_is_refused_in_words(made: Any) -> None:
    judged, awards = made
    for award in awards:
        perform(award, "cancel", by=judged.desk.approver, note="放弃")
    with pytest.raises(Invalid) as told:
        pack.award_pack(judged.call, by=judged.desk.officer)
    assert told.value.rule == "something_chosen"
    assert "确认立项之后" in signed_in(judged.desk.officer).get(reverse("desk:award_pack", args=[judged.call.pk])).content.decode()


def test_a_path_never_leaves_the_package() -> None:
    kept = store(b"text", name="a.txt", allowed={"txt"}, max_bytes=100)
    for path in ("../a.txt", "/etc/passwd", "a/../../b.txt"):
        with pytest.raises(ValueError, match="leave the package"):
            list(stream_zip([Packed(path, kept)], at=clock.now(), heads=("a", "b", "c")))
