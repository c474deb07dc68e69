"""The auditor's desk: what may be read and when, that every reading is told, files that add up, and samples anybody can draw again."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from grants import clock, ledger
from grants.desk.audit import samples
from grants.desk.audit.tables import RECORDS, SAMPLED
from grants.ledger import sequencer
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review.draw import shuffled
from review.transcript import announced_hash, round_moment, verify
from review.transcript_reading import read
from tests.world import bidding, calls, people, review, shared
from tests.world import funding as world
from tests.world.funding import Project
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def three(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Three awards of one call; the first is paid its first tranche and has spent ¥100.00. Each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        projects = world.begun(amounts=("90000.00", "80000.00", "70000.00"))
        with clock.at(projects[0].day(2)):
            world.paid(projects[0], 1)
            world.expense(projects[0], "100.00")
            sequencer.sequence(sweep=True)
            sequencer.checkpoint()
        yield projects


@pytest.fixture
def project(three: list[Project]) -> Iterator[Project]:
    with clock.at(three[-1].day(3)):
        yield three[0]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def of(project: Project, name: str, *more: Any) -> str:
    return reverse(f"desk:{name}", args=[project.call.pk, *more])


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


# --- who may read, and when ----------------------------------------------------------------------------------------------


def test_only_the_agencys_auditor_has_these_pages(project: Project) -> None:
    """Officer, approver, grantee, another agency's auditor and a superuser get 404 on every one of them."""
    pages = [reverse("desk:audit"), reverse("desk:audit_log"), of(project, "audit_call"), of(project, "audit_samples"), of(project, "audit_records", "bids")]
    elsewhere, superuser = people.office().auditor, people.person("超级用户")
    User.objects.filter(pk=superuser.pk).update(is_superuser=True)
    for url in pages:
        assert signed_in(project.desk.auditor).get(url).status_code == 200, url
        for who in (project.desk.officer, project.desk.approver, project.claimant, superuser):
            assert signed_in(who).get(url).status_code == 404, (url, who)
    for url in pages[2:]:
        assert signed_in(elsewhere).get(url).status_code == 404
    assert project.call.code not in signed_in(elsewhere).get(reverse("desk:audit")).content.decode()
    assert project.call.code not in signed_in(elsewhere).get(reverse("desk:audit_log")).content.decode()


def test_before_the_deadline_not_even_an_auditor_learns_who_bids() -> None:
    """Tables are empty, the log leaves the bid's steps out, its entries are not found, and no sample can be frozen."""
    desk = people.office()
    call = calls.opened(desk, review.rules(name="YX-2026-09"))
    own = people.body(desk)
    with clock.at(bidding.opens(call)):
        bid = bidding.submitted(call, own, title="尚未开标的项目")
        auditor = signed_in(desk.auditor)
        entry = AuditEvent.objects.filter(subject=bid.subject).latest("pk")
        pages = [reverse("desk:audit_log"), reverse("desk:audit_log") + "?as=csv", reverse("desk:audit_call", args=[call.pk])]
        pages += [reverse("desk:audit_records", args=[call.pk, what]) for what in RECORDS]
        for url in pages:
            text = body(auditor.get(url))
            for secret in (bid.title, bid.number, own.organisation.name, str(bid.pk)):
                assert secret not in text, (url, secret)
        assert auditor.get(reverse("desk:audit_event", args=[entry.pk])).status_code == 404
        assert auditor.get(reverse("desk:audit_samples", args=[call.pk])).status_code == 404


# --- tables and files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", RECORDS)
def test_every_table_is_a_page_and_a_file_of_the_same_rows(project: Project, what: str) -> None:
    auditor, url = signed_in(project.desk.auditor), of(project, "audit_records", what)
    assert auditor.get(url).status_code == 200
    rows = list(csv.reader(io.StringIO(body(auditor.get(url + "?as=csv")).removeprefix("\ufeff"))))
    count = RECORDS[what].rows(project.call).count()
    assert len(rows) == count + 2
    assert f"{count}" in rows[-1][0]
    assert auditor.get(url + "?as=xlsx")["Content-Type"].startswith("application/vnd.openxmlformats")


def test_the_sum_under_the_payments_is_what_was_paid(project: Project) -> None:
    text = body(signed_in(project.desk.auditor).get(of(project, "audit_records", "orders") + "?as=csv"))
    paid = world.order_of(project).amount
    assert f"{paid:.2f}" in text.splitlines()[-1]
    assert world.order_of(project).payee_account not in text


@pytest.mark.parametrize("what", ["tranches", "evaluations", "contracts"])
def test_a_table_costs_the_same_whatever_it_holds(project: Project, what: str, django_assert_max_num_queries: Any) -> None:
    """Three or nine rows under three awards: no query per row."""
    auditor = signed_in(project.desk.auditor)
    auditor.get(of(project, "audit_records", what))
    with django_assert_max_num_queries(16):
        auditor.get(of(project, "audit_records", what))


# --- the log -------------------------------------------------------------------------------------------------------------


def test_the_log_is_found_by_object_event_day_and_number(project: Project) -> None:
    auditor, log = signed_in(project.desk.auditor), reverse("desk:audit_log")
    found = auditor.get(log, {"kind": "contract", "event": "contract.countersign"}).context["table"]
    assert {row.event for row in found.rows} == {"contract.countersign"}
    one = auditor.get(log, {"about": str(project.award.pk)}).context["table"]
    assert {row.subject for row in one.rows} == {project.award.subject}
    assert auditor.get(log, {"until": "2020-01-01"}).context["table"].count == 0
    wrong = auditor.get(log, {"since": "2026-05-02", "until": "2026-05-01"})
    assert "结束日期早于开始日期" in wrong.content.decode()


def test_one_page_of_the_log_looks_names_up_once(project: Project, django_assert_num_queries: Any) -> None:
    """One row or fifty: the same eight statements."""
    auditor, log = signed_in(project.desk.auditor), reverse("desk:audit_log")
    one = {"about": str(AuditEvent.objects.filter(event="contract.countersign").latest("pk").pk)}
    for asked, rows in ((one, 1), ({}, 50)):
        with django_assert_num_queries(8):
            page = auditor.get(log, asked)
        assert len(page.context["table"].page.object_list) == rows


def test_an_entry_shows_the_bytes_that_are_hashed_and_the_head_that_covers_them(project: Project) -> None:
    row = AuditEvent.objects.filter(event="contract.countersign").earliest("pk")
    page = signed_in(project.desk.auditor).get(reverse("desk:audit_event", args=[row.pk])).content.decode()
    assert html.escape(bytes(row.leaf).decode()) in page
    assert hashlib.sha256(b"\0" + bytes(row.leaf)).hexdigest() in page
    assert project.desk.approver.name in page


def test_every_reading_and_download_is_told_to_the_agency(project: Project) -> None:
    """Two entries, named in words on a page that the officer may read and the grantee may not; the officer's own reading is none."""
    auditor, officer = signed_in(project.desk.auditor), signed_in(project.desk.officer)
    auditor.get(of(project, "audit_records", "tranches"))
    body(auditor.get(of(project, "audit_records", "orders") + "?as=csv"))
    events = AuditEvent.objects.filter(subject=project.call.subject, event__in=("call.read", "call.download")).order_by("pk")
    assert [e.event for e in events][-2:] == ["call.read", "call.download"]
    before = AuditEvent.objects.count()
    page = officer.get(of(project, "audit_readings"))
    assert AuditEvent.objects.count() == before
    text = page.content.decode()
    assert project.desk.auditor.name in text
    assert "付款单（csv）" in text
    assert signed_in(project.claimant).get(of(project, "audit_readings")).status_code == 404


# --- samples -------------------------------------------------------------------------------------------------------------


def named(**more: Any) -> dict[str, Any]:
    return {"kind": "named", "source": "双色球", "round": "2026039", "due": clock.now() + timedelta(hours=1), **more}


def test_a_sample_is_frozen_then_its_beacon_falls_then_it_is_drawn_and_anybody_draws_the_same(project: Project) -> None:
    auditor = signed_in(project.desk.auditor)
    due = (clock.now() + timedelta(hours=1)).replace(microsecond=0)
    typed = {"of": "awards", "size": 2, "beacon_kind": "named", "source": "双色球", "due": f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M:%S}"}
    assert auditor.post(of(project, "audit_samples"), typed).status_code == 422, "without its issue"
    answer = auditor.post(of(project, "audit_samples"), {**typed, "round": "2026039"})
    assert answer.status_code == 302
    [frozen] = samples.of_call(project.call)
    assert (frozen.number, frozen.said, len(frozen.population)) == (1, "", 3)
    page, given = answer["Location"], {"said": "03 06 12", "evidence": "中国福彩网公告"}
    assert "此后在这里填写" in auditor.get(page).content.decode()
    assert auditor.post(page, given).status_code == 409, "nobody can try a number before the beacon fell"
    with clock.at(due):
        assert auditor.post(page, given).status_code == 302
    made = samples.get(project.call, frozen.id)
    assert made.stands
    assert len(made.drawn) == 2
    file = json.loads(body(auditor.get(of(project, "audit_sample_json", frozen.id))))
    assert _drawn_by_hand(file) == file["chosen"] == list(made.drawn)
    assert all(check.ok for check in verify(read(json.dumps(file).encode(), complete=True)))
    assert "一致" in auditor.get(of(project, "audit_sample", frozen.id)).content.decode()


def _drawn_by_hand(file: dict[str, Any]) -> list[str]:
    """The file's own recipe, followed with nothing but hashlib."""
    parts = [bytes.fromhex(file["announced_sha256"]), bytes.fromhex(file["ledger_head"]), file["beacon"]["value"].encode()]
    seed = hashlib.sha256(b"GY-DRAW-1\0" + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
    left, counter = sorted(item for item, _seat in file["announced"]["pool"]), 0
    for place in range(len(left) - 1, 0, -1):
        n = place + 1
        while True:
            word = int.from_bytes(hashlib.sha256(seed + counter.to_bytes(8, "big")).digest()[:8], "big")
            counter += 1
            if word < 2**64 - 2**64 % n:
                break
        other = word % n
        left[place], left[other] = left[other], left[place]
    return left[: file["announced"]["rule"]["size"]]


def test_the_number_is_said_once_and_a_second_sample_wants_a_reason(project: Project) -> None:
    by = project.desk.auditor
    first = samples.freeze(project.call, "awards", 1, named(), by=by)
    refused(NotNow, "beacon_has_fallen", samples.say, project.call, first, "3", by=by, evidence="公告")
    with clock.at(clock.now() + timedelta(hours=1)):
        refused(Invalid, "draw_evidence", samples.say, project.call, first, "3", by=by)
        refused(Invalid, "draw_said", samples.say, project.call, first, " ", by=by, evidence="公告")
        refused(Invalid, "draw_said", samples.say, project.call, first, "13812345678", by=by, evidence="公告")
        samples.say(project.call, first, "3", by=by, evidence="公告")
        refused(NotNow, "drawn_once", samples.say, project.call, first, "4", by=by, evidence="公告")
    refused(Invalid, "second_sample", samples.freeze, project.call, "awards", 1, named(), by=by)
    second = samples.freeze(project.call, "awards", 1, named(), by=by, reason="第一次抽中的项目已在上月审过")
    assert samples.get(project.call, second).number == 2


def test_a_round_of_drand_is_taken_with_its_signature_only(project: Project) -> None:
    by, round_ = project.desk.auditor, 99_000_000
    frozen = samples.freeze(project.call, "awards", 1, {"kind": "drand", "round": round_}, by=by)
    signature = "ab" * 48
    with clock.at(datetime.fromisoformat(round_moment(round_))):
        refused(Invalid, "draw_said", samples.say, project.call, frozen, "cd" * 32, by=by, evidence=signature)
        value = hashlib.sha256(bytes.fromhex(signature)).hexdigest()
        assert samples.say(project.call, frozen, value, by=by, evidence=signature).stands


def test_a_list_of_old_that_waits_for_a_number_said_in_the_room_wants_a_second_auditor(project: Project) -> None:
    """Frozen before beacons were asked for: who froze it could try numbers, so somebody else says it; it is shown and repeated as ever."""
    by, population = project.desk.auditor, sorted(SAMPLED["awards"][1](project.call))
    announced = samples.announcement(project.call.subject, "awards", 1, 1, {"kind": "said", "source": "骰子", "round": "", "due": ""}, "", population)
    facts = {"of": "awards", "size": 1, "count": 3, "population": samples.digest_of(population), "source": "骰子", "number": 1}
    with transaction.atomic():
        row = ledger.record(
            event="sample.freeze", actor=str(by.pseudonym), role="auditor", subject=project.call.subject, scope=f"call:{project.call.pk}",
            public={**facts, "announced": announced_hash(announced)}, private={"announced": announced, "population": population, "reason": ""},
        )  # fmt: skip
    refused(NotYou, "second_auditor", samples.say, project.call, str(row.uid), "3", by=by)
    other = people.appointed("auditor", project.desk.agency)
    made = samples.say(project.call, str(row.uid), "骰子 3", by=other)
    assert made.stands and all(check.ok for check in verify(read(json.dumps(made.document()).encode(), complete=True)))


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"size": 0}, "sample_size"), ({"size": 4}, "sample_size"), ({"source": "王某 13800138000"}, "draw_source"), ({"source": ""}, "draw_source"),
        ({"kind": "said"}, "draw_beacon_kind"), ({"due": timedelta(0)}, "draw_due"), ({"kind": "drand", "round": 1}, "draw_due"),
    ],

)
def test_what_cannot_be_frozen_is_refused_and_nothing_is_written(project: Project, asked: dict[str, Any], rule: str) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as told:
        if "due" in asked:
            asked = {"due": clock.now() + asked["due"]}
        size, beacon = asked.get("size", 1), {name: value for name, value in asked.items() if name != "size"}
        samples.freeze(project.call, "awards", size, named(**beacon), by=project.desk.auditor)
    assert told.value.rule == rule
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("of", SAMPLED)
def test_every_list_names_each_thing_once(project: Project, of: str) -> None:
    population = SAMPLED[of][1](project.call)
    assert population
    assert len(population) == len(set(population))


@given(population=st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=30), data=st.data())
def test_a_drawing_depends_on_the_list_not_on_its_order(population: set[str], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(population)))
    seed = data.draw(st.binary(min_size=32, max_size=32))
    one = shuffled(sorted(population), seed)[:size]
    assert one == shuffled(data.draw(st.permutations(sorted(population))), seed)[:size]
    assert len(set(one)) == size
    assert set(one) <= population
