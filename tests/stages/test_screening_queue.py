"""The screening queue: filters, save-and-next, hints set aside with a reason, many admitted by one stroke with a result for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from bidding import bulk, services
from bidding.models import Bid, RelatedDismissal
from bidding.queue import Filters, hints, hints_of, narrowed, next_open, place, received
from bidding.related import Party, related
from bidding.services.screening import Conclusion
from grants import clock
from grants.calls.models import Call
from grants.ledger.models import AuditEvent
from grants.people.models import Organisation, User
from grants.workflow import effects, jobs
from grants.workflow.door import perform
from grants.workflow.models import BulkJob, JobItem
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as world
from tests.world import calls, people, shared
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Office, Call, list[Bid], list[Body]]]:
    """A closed call of groups' bids: four handed in, the machine checks run."""
    with shared.rows(django_db_blocker):
        desk = people.office()
        call = calls.opened(desk)
        hub = people.body(desk, kind_of_body="association", name=call.rules.eligibility.sponsor.name)
        groups = [people.group(desk, hub, legal_representative=f"负责人{n}") for n in range(4)]
        with clock.at(world.opens(call)):
            bids = [world.submitted(call, who, amount=Decimal(3000 + n)) for n, who in enumerate(groups)]
        call = calls.closed(call)
        with clock.at(call.closes_at + timedelta(days=1)):
            effects.drain()
            services.screen(call, by=desk.officer)
        yield desk, call, [fresh(b) for b in bids], groups


@pytest.fixture(autouse=True)
def the_day_after(made: Any) -> Iterator[None]:
    with clock.at(made[1].closes_at + timedelta(days=1)):
        yield


def fresh(bid: Bid) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def numbers(call: Call, who: User, **wish: str) -> list[str]:
    return list(narrowed(received(call, who), Filters.of(wish)).order_by("number").values_list("number", flat=True))


def settled(bid: Bid, desk: Office) -> None:
    """Every open rule concluded as met."""
    for finding in world.open_rules(bid):
        services.record_finding(bid, finding.rule, "pass", by=desk.officer, evidence_note="平台查询 2026-04-01")


def test_filters_agree_with_the_findings_that_count(made: Any) -> None:
    """A rule concluded twice counts once, with its last conclusion."""
    desk, call, bids, _groups = made
    assert numbers(call, desk.officer, finding="open") == [b.number for b in bids]
    first = world.open_rules(bids[0])[0]
    services.record_finding(bids[0], first.rule, "fail", by=desk.officer, evidence_note="名录中有该单位")
    assert numbers(call, desk.officer, finding="fail") == [bids[0].number]
    services.record_finding(bids[0], first.rule, "pass", by=desk.officer, evidence_note="更正：同名单位")
    assert numbers(call, desk.officer, finding="fail") == []
    settled(bids[0], desk)
    assert numbers(call, desk.officer, finding="ready") == [bids[0].number]
    assert numbers(call, desk.officer, finding="open") == [b.number for b in bids[1:]]
    assert numbers(call, desk.officer, sponsor="no") == []
    assert numbers(call, desk.officer, q=bids[2].organisation.name) == [bids[2].number]
    assert numbers(call, desk.officer, finding="' OR 1=1", state="nonsense") == [b.number for b in bids], "unknown wishes are dropped"


def test_the_file_holds_exactly_the_filtered_rows_with_their_sum(made: Any) -> None:
    desk, call, bids, groups = made
    settled(bids[0], desk)
    where, client = reverse("bidding:of_call", args=[call.pk]), browser(desk.auditor)
    answer = client.get(where, {"finding": "open", "as": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [line[0].lstrip("'") for line in lines[1:-1]] == [b.number for b in bids[1:]]
    assert Decimal(lines[-1][4]) == Decimal(3001 + 3002 + 3003)
    assert client.get(where, {"as": "xlsx"}).status_code == 200
    assert browser(groups[0].signatory).get(where, {"as": "csv"}).status_code == 404


def test_the_sheet_saves_many_at_once_and_goes_to_the_next(made: Any) -> None:
    """One look-up noted once for all rows; afterwards the next bid of the same filter."""
    desk, call, bids, _groups = made
    client, left = browser(desk.officer), world.open_rules(bids[0])
    where = reverse("bidding:screening", args=[bids[0].pk]) + "?finding=open"
    given = {f"outcome_{f.rule}": "pass" for f in left}
    shown = client.get(where).content.decode()
    assert "第 1 / 4 份" in shown
    answer = client.post(where, {**given, "note_all": "中国社会组织政务服务平台查询 2026-04-02", "sheet": "admit"})
    assert answer.headers["Location"] == reverse("bidding:screening", args=[bids[1].pk]) + "?finding=open"
    assert fresh(bids[0]).state == "admitted"
    assert "1/4" in client.get(reverse("bidding:of_call", args=[call.pk])).content.decode()


def test_a_conclusion_without_evidence_is_refused_and_nothing_of_the_sheet_is_written(made: Any) -> None:
    """Several conclusions stand or fall together; what was typed stands in its box; a disguised file is refused beside its field."""
    desk, _call, bids, _groups = made
    rule = world.open_rules(bids[0])[0].rule
    before = bids[0].findings.count()
    with pytest.raises(Invalid) as told:
        services.record_findings(bids[0], [Conclusion(rule, "pass", "平台截图"), Conclusion("no_such_rule", "pass", "x")], by=desk.officer)
    assert list(told.value.problems) == ["rule_no_such_rule"]
    client, where = browser(desk.officer), reverse("bidding:screening", args=[bids[0].pk])
    refused = client.post(where, {f"outcome_{rule}": "pass", "sheet": "next"})
    assert refused.status_code == 422
    assert "没有凭证的结论无效" in refused.content.decode()
    disguised = SimpleUploadedFile("查询.pdf", b"MZ not a pdf")
    kept = client.post(where, {f"outcome_{rule}": "pass", f"note_{rule}": "平台截图甲", f"file_{rule}": disguised, "sheet": "save"})
    assert kept.status_code == 422
    assert "平台截图甲" in kept.content.decode()
    assert client.post(where, {"sheet": "save"}).status_code == 422
    assert bids[0].findings.count() == before


def test_who_may_not_screen_sees_no_sheet_and_may_not_post_it(made: Any) -> None:
    """The auditor reads; an applicant and another agency find nothing; nothing is written."""
    desk, call, bids, groups = made
    where = reverse("bidding:screening", args=[bids[0].pk])
    rule = world.open_rules(bids[0])[0].rule
    assert "保存，看下一份" not in browser(desk.auditor).get(where).content.decode()
    given = {f"outcome_{rule}": "pass", "note_all": "x", "sheet": "save"}
    before = bids[0].findings.count()
    assert browser(desk.auditor).post(where, given).status_code == 422
    for stranger in (groups[0].signatory, groups[1].signatory, people.office().officer):
        assert browser(stranger).get(where).status_code == 404
        for name in ("of_call", "admit_ready", "related", "next"):
            assert browser(stranger).get(reverse(f"bidding:{name}", args=[call.pk])).status_code == 404, name
    assert browser(desk.auditor).get(reverse("bidding:admit_ready", args=[call.pk])).status_code == 404
    assert bids[0].findings.count() == before


def test_the_bulk_stroke_takes_only_what_is_ready_and_tells_each_result(made: Any) -> None:
    """Two ready, one of them decided by a colleague meanwhile: one admitted, one refused with the reason, two untouched."""
    desk, call, bids, _groups = made
    for bid in bids[:2]:
        settled(bid, desk)
    client, where = browser(desk.officer), reverse("bidding:admit_ready", args=[call.pk])
    page = client.get(where).content.decode()
    assert bids[0].number in page
    assert bids[2].number not in page
    answer = client.post(where, {"note": "逐项合格"})
    job = BulkJob.objects.get()
    assert answer.headers["Location"] == reverse("desk:job", args=[job.pk])
    assert fresh(bids[0]).state == "submitted", "nothing happens before the worker comes"
    perform(fresh(bids[1]), "admit", by=desk.officer)
    effects.drain()
    assert [fresh(b).state for b in bids] == ["admitted", "admitted", "submitted", "submitted"]
    job.refresh_from_db()
    assert jobs.progress(job) == jobs.Progress(2, 1, 1)
    assert job.finished_at is not None
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "不能「通过资格审查」" in shown
    assert "办成 1 项，没有办成 1 项" in shown
    entries = AuditEvent.objects.filter(subject=job.subject).order_by("pk").values_list("event", flat=True)
    assert list(entries) == ["job.start", "job.finish"]


def test_the_bulk_stroke_refuses_nothing_ready_a_second_job_and_strangers(made: Any) -> None:
    desk, call, bids, groups = made
    with pytest.raises(Invalid) as empty:
        bulk.admit_ready(call, by=desk.officer)
    assert empty.value.rule == "something_chosen"
    settled(bids[0], desk)
    with pytest.raises((NotYou, Invalid)):
        bulk.admit_ready(call, by=desk.approver)
    bulk.admit_ready(call, by=desk.officer)
    with pytest.raises(NotNow) as twice:
        bulk.admit_ready(call, by=desk.officer)
    assert twice.value.rule == "one_job_at_a_time"
    assert BulkJob.objects.count() == 1
    job = BulkJob.objects.get()
    where = reverse("desk:job", args=[job.pk])
    assert browser(desk.approver).get(where).status_code == 200, "whoever reads the agency's files may look"
    assert browser(desk.approver).post(reverse("desk:job_cancel", args=[job.pk])).status_code == 404
    for stranger in (groups[0].signatory, people.office().officer):
        assert browser(stranger).get(where).status_code == 404
        for name in ("job_cancel", "job_resume"):
            assert browser(stranger).post(reverse(f"desk:{name}", args=[job.pk])).status_code == 404


def test_a_job_that_was_stopped_leaves_the_rest_and_goes_on_when_asked(made: Any) -> None:
    """One done, then stopped: the others stay; resumed: done once each, and nothing twice."""
    desk, call, bids, _groups = made
    for bid in bids[:3]:
        settled(bid, desk)
    effects.drain()
    job = bulk.admit_ready(call, by=desk.officer)
    effects.drain(1)
    jobs.cancel(job, by=desk.officer)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 1, 0)
    assert sorted(fresh(b).state for b in bids[:3]) == ["admitted", "submitted", "submitted"]
    with pytest.raises(NotNow):
        jobs.cancel(job, by=desk.officer)
    with pytest.raises(NotYou):
        jobs.resume(job, by=desk.finance)
    jobs.resume(job, by=desk.officer)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(3, 3, 0)
    assert AuditEvent.objects.filter(event="bid.admit").count() == 3
    with pytest.raises(NotNow):
        jobs.resume(job, by=desk.officer)


def test_an_item_is_carried_out_once_although_two_promises_lead_to_it(made: Any) -> None:
    """Resuming while the first promise still waits: the second worker finds the item done."""
    desk, call, bids, _groups = made
    settled(bids[0], desk)
    job = bulk.admit_ready(call, by=desk.officer)
    jobs.resume(job, by=desk.officer)
    effects.drain()
    assert AuditEvent.objects.filter(event="bid.admit").count() == 1
    assert JobItem.objects.get().done_at is not None


def test_a_fault_of_ours_is_told_and_may_be_tried_again(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, call, bids, _groups = made
    settled(bids[0], desk)
    job = bulk.admit_ready(call, by=desk.officer)
    with monkeypatch.context() as broken:
        broken.setattr(bulk, "perform", lambda *a, **k: 1 / 0)
        effects.drain()
    assert "ZeroDivisionError" in JobItem.objects.get().outcome
    assert fresh(bids[0]).state == "submitted"
    jobs.resume(job, by=desk.officer)
    effects.drain()
    assert fresh(bids[0]).state == "admitted"


def test_a_hint_is_shown_masked_and_set_aside_with_a_reason(made: Any) -> None:
    """Without a reason it is refused; with one it stays visible as dismissed; the number itself is nowhere on the page."""
    desk, call, bids, groups = made
    phone = "0755-88001234"
    _now(groups[:2], phone=phone)
    hint = next(h for h in hints(call) if h.kind == "phone")
    client, where = browser(desk.officer), reverse("bidding:related", args=[call.pk])
    shown = client.get(where).content.decode()
    assert "联系电话相同" in shown
    assert phone not in shown and "88001234" not in shown
    assert "联系电话相同" in client.get(reverse("bidding:screening", args=[bids[0].pk])).content.decode()
    assert "联系电话相同" not in client.get(reverse("bidding:screening", args=[bids[3].pk])).content.decode()
    assert client.post(where, {"fingerprint": hint.fingerprint, "reason": " "}).status_code == 422
    assert not RelatedDismissal.objects.exists()
    assert client.post(where, {"fingerprint": "0" * 64, "reason": "x"}).status_code == 422
    assert client.post(where, {"fingerprint": hint.fingerprint, "reason": "同一居委会的值班电话，已电话核实"}).status_code == 302
    assert "已排除" in client.get(where).content.decode()
    with pytest.raises(NotYou):
        services.dismiss_hint(call, hint.fingerprint, "x", by=desk.auditor)
    entry = AuditEvent.objects.get(event="call.dismiss_hint")
    assert "居委会" not in entry.leaf.decode() if isinstance(entry.leaf, bytes) else "居委会" not in str(entry.leaf)


def _now(groups: list[Body], **particulars: str) -> None:
    """The organisations' particulars, written beside the door: verified groups change theirs by another way."""
    for group in groups:
        body = Organisation.objects.get(pk=group.organisation.pk)
        for name, value in particulars.items():
            setattr(body, name, value)
        body.save(update_fields=list(particulars))


def test_hints_found_by_index_are_those_found_by_comparing_everybody(made: Any) -> None:
    """The columns fold as the comparison folds: full width, blanks, hyphens; for one bid and for the whole call."""
    _desk, call, bids, groups = made
    _now(groups[:1], phone="0755-8800 1234", legal_representative="李 某某", address="云溪路 8 号")
    _now(groups[1:2], phone="０７５５８８００１２３４", legal_representative="李某某")
    _now(groups[2:3], address="云溪路8号", account_number="6217000010001234567")
    _now(groups[3:], account_number="6217000010001234567")
    everybody = [
        Party(
            str(bid.pk), str(body.pk), body.name,
            {"account": [body.account_number], "phone": [body.phone], "person": [body.legal_representative], "address": [body.address],
             "file": list(bid.attachments.values_list("file_id", flat=True))},
        )
        for bid in bids for body in [Organisation.objects.get(pk=bid.organisation_id)]
    ]  # fmt: skip
    expected = related(everybody)
    assert {"account", "phone", "person", "address"} <= {hint.kind for hint in expected}
    assert hints(call) == expected
    for bid in bids:
        assert hints_of(fresh(bid)) == [hint for hint in expected if str(bid.pk) in hint.bids]


def test_the_place_in_the_queue_and_the_next_bid_go_by_number_and_round_the_corner(made: Any) -> None:
    desk, call, bids, _groups = made
    rows, order = received(call, desk.officer), sorted(bids, key=lambda bid: bid.number)
    found = [place(bid, rows) for bid in order]
    assert [(p.n, p.total) for p in found] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [(p.before, p.after) for p in found] == list(zip([None, *[b.pk for b in order]], [*[b.pk for b in order[1:]], None], strict=False))
    without = rows.exclude(pk=order[1].pk)
    assert (place(order[1], without).n, place(order[1], without).before, place(order[1], without).after) == (2, order[0].pk, order[2].pk)
    assert [next_open(call, desk.officer, Filters(), after=b.number) for b in order] == [order[1].pk, order[2].pk, order[3].pk, order[0].pk]
    assert next_open(call, desk.officer, Filters(q="没有这样的项目"), after=order[0].number) is None


def test_queue_hints_and_job_cost_the_same_for_two_and_for_four(made: Any, django_assert_num_queries: Any) -> None:
    """Literal counts: session, person, and what the page shows — never one query per row."""
    desk, call, bids, groups = made
    _now(groups, phone="075588001234")
    for bid in bids:
        settled(bid, desk)
    job = bulk.admit_ready(call, by=desk.officer)
    client = browser(desk.officer)
    pages = {
        reverse("bidding:of_call", args=[call.pk]): 7, reverse("bidding:related", args=[call.pk]): 10,
        reverse("bidding:admit_ready", args=[call.pk]): 6, reverse("desk:job", args=[job.pk]): 11,
        reverse("bidding:screening", args=[bids[0].pk]): 17,
    }  # fmt: skip
    for keep in (4, 2):
        Bid.objects.filter(pk__in=[b.pk for b in bids[keep:]]).update(number="")
        JobItem.objects.filter(position__gt=keep).delete()
        for where, cost in pages.items():
            client.get(where)
            with django_assert_num_queries(cost):
                assert client.get(where).status_code == 200
