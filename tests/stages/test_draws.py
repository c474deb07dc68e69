"""公开抽取: announced first, committed by three, revealed or opened from escrow, with a beacon of the future; failed draws stay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import pages, services, transcript
from review.models import ConflictHit, Draw, DrawParty, Panel
from review.transcript_reading import read
from tests.world import people, shared
from tests.world import review as world
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BALLS = "03 07 12 19 25 31 + 08"


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """A call whose rules want commitments, closed, with three admitted bids and a pool."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(draw="commit-reveal"))


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def finished(made: Judged, held: world.Ceremony) -> Draw:
    with clock.at(held.due + HOUR):
        services.enter_beacon(held.draw, BALLS, evidence="中国福彩网公告", by=held.of("监督"))
        return services.draw_now(held.draw, by=made.desk.officer)


def test_three_parties_and_a_beacon_draw_a_panel_that_anybody_can_draw_again(made: Judged) -> None:
    draw = finished(made, world.revealing(made))
    whole = draw.transcript
    assert all(check.ok for check in transcript.verify(read(json.dumps(whole).encode(), complete=True)))
    parts = [bytes.fromhex(whole["announced_sha256"]), bytes.fromhex(whole["ledger_head"])]
    parts += [hashlib.sha256(name.encode()).digest() for name in ("主办方", "监督", "申报方代表")] + [BALLS.encode()]
    by_hand = hashlib.sha256(b"GY-DRAW-1\0" + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).hexdigest()
    panel = draw.panel
    assert panel is not None
    assert panel.seed == whole["seed"] == by_hand
    seated = panel.members.filter(alternate=False).order_by("position")
    assert [m.expert.code for m in seated] == whole["chosen"]
    assert [m.expert.code for m in panel.members.filter(alternate=True).order_by("position")] == whole["alternates"]


def test_the_log_holds_announcement_commitments_reveals_and_outcome_in_this_order(made: Judged) -> None:
    draw = finished(made, world.revealing(made))
    told = list(AuditEvent.objects.filter(subject=draw.subject).order_by("id").values_list("event", flat=True))
    commits, reveals = ["draw.commit"] * 3, ["draw.reveal"] * 3
    assert told == ["draw.open", "draw.start", *commits, "draw.close", *reveals, "draw.enter_beacon", "draw.draw"]
    last = AuditEvent.objects.filter(subject=draw.subject, event="draw.commit").order_by("-id")[0]
    assert draw.ledger_head == hashlib.sha256(b"\0" + bytes(last.leaf)).hexdigest()


def test_the_rules_of_the_call_refuse_a_single_seed(made: Judged) -> None:
    refused(NotNow, "draw_by_parties", world.convened, made.call, made.desk.officer)
    assert of(made.desk.officer).get(reverse("review:convene", args=[made.call.pk])).url.endswith("/draw/")  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["two", "same person", "same name", "all of the agency", "past", "unnamed"])
def test_what_cannot_be_announced(made: Judged, wrong: str) -> None:
    watcher, bidder, desk = people.appointed("observer", made.call), made.bodies[0].signatory, made.desk
    parties = {
        "two": [("甲", desk.officer), ("乙", watcher)],
        "same person": [("甲", desk.officer), ("乙", watcher), ("丙", watcher)],
        "same name": [("甲", desk.officer), ("甲", watcher), ("丙", bidder)],
        "all of the agency": [("甲", desk.officer), ("乙", desk.approver), ("丙", desk.finance)],
    }.get(wrong, [("甲", desk.officer), ("乙", watcher), ("丙", bidder)])
    start = world.after(made.call)
    beacon = {"kind": "named", "source": "双色球" if wrong != "unnamed" else " ", "round": "1", "due": start + HOUR * (-1 if wrong == "past" else 1)}
    rule = {"past": "draw_due", "unnamed": "draw_source"}.get(wrong, "draw_parties")
    with clock.at(start):
        refused(Invalid, rule, services.publish, made.call, parties=parties, beacon=beacon, by=desk.officer)
    assert not Draw.objects.exists()


def test_commitments_are_made_once_by_the_parties_and_are_all_different(made: Judged) -> None:
    held = world.published(made)
    secret = held.secrets["主办方"]
    with clock.at(held.due - HOUR):
        refused(NotNow, "state", services.commit, held.draw, by=made.desk.officer, secret=secret)
        services.start_draw(held.draw, by=made.desk.officer)
        refused(NotYou, "a_party", services.commit, held.draw, by=made.desk.approver, secret=secret)
        refused(Invalid, "draw_secret", services.commit, held.draw, by=made.desk.officer, secret="1234")
        refused(Invalid, "draw_envelope", services.commit, held.draw, by=made.desk.officer, sha256="ab" * 32)
        services.commit(held.draw, by=made.desk.officer, secret=secret)
        refused(NotNow, "has_not_committed", services.commit, held.draw, by=made.desk.officer, secret="ab" * 32)
        refused(Invalid, "draw_secret", services.commit, held.draw, by=held.of("监督"), secret=secret)
        refused(NotNow, "all_committed", services.close_commitments, held.draw, by=made.desk.officer)
    kept = DrawParty.objects.get(draw=held.draw, name="主办方")
    assert secret not in kept.sealed and kept.sha256 == hashlib.sha256(bytes.fromhex(secret)).hexdigest()
    assert not any(secret in bytes(e.leaf).decode() for e in AuditEvent.objects.filter(subject=held.draw.subject))


def test_commitments_close_before_the_beacon_falls_or_never(made: Judged) -> None:
    held = world.committed(made)
    with clock.at(held.due):
        refused(NotNow, "beacon_is_ahead", services.close_commitments, held.draw, by=made.desk.officer)


def test_a_reveal_must_be_what_was_committed(made: Judged) -> None:
    held = world.revealing(made, silent=["监督"])
    with clock.at(held.due):
        refused(Invalid, "draw_value", services.reveal, held.draw, "ab" * 32, by=held.of("监督"))
        refused(NotNow, "has_not_revealed", services.reveal, held.draw, held.secrets["主办方"], by=made.desk.officer)


def test_a_missing_reveal_comes_from_the_sealed_copy_and_nothing_is_drawn_again(made: Judged) -> None:
    """With the copy the seed is the very seed the silent party would have made: silence gains nothing."""
    with transaction.atomic():
        expected = finished(made, world.revealing(made)).transcript["seed"]
        transaction.set_rollback(True)
    held = world.revealing(made, silent=["申报方代表"])
    silent = held.draw.parties.get(name="申报方代表")
    with clock.at(held.due - HOUR):
        refused(NotNow, "beacon_has_fallen", services.substitute, held.draw, silent, by=held.of("监督"), reason="没有来")
    with clock.at(held.due):
        services.enter_beacon(held.draw, BALLS, evidence="公告", by=held.of("监督"))
        refused(NotNow, "ready_to_draw", services.draw_now, held.draw, by=made.desk.officer)
        refused(NotYou, "may_observe", services.substitute, held.draw, silent, by=made.desk.officer, reason="没有来")
        services.substitute(held.draw, silent, by=held.of("监督"), reason="电话未接")
        draw = services.draw_now(held.draw, by=made.desk.officer)
    assert [r["by"] for r in draw.transcript["reveals"]] == ["party", "party", "escrow"]
    assert len(draw.transcript["seed"]) == len(expected) == 64
    assert all(check.ok for check in transcript.verify(draw.transcript))


def test_a_paper_envelope_serves_where_the_system_keeps_no_copy(made: Judged) -> None:
    held = world.published(made)
    with clock.at(held.due - 3 * HOUR):
        services.start_draw(held.draw, by=made.desk.officer)
        for name, user in held.parties:
            services.commit(held.draw, by=user, sha256=transcript.commitment(held.secrets[name]), envelope="公证处保管")
        services.close_commitments(held.draw, by=made.desk.officer)
    with clock.at(held.due):
        silent = held.draw.parties.get(name="主办方")
        refused(NotNow, "escrow_opens", services.substitute, held.draw, silent, by=held.of("监督"), reason="无")
        refused(Invalid, "draw_value", services.substitute, held.draw, silent, by=held.of("监督"), reason="无", value="ab" * 32)
        services.substitute(held.draw, silent, by=held.of("监督"), reason="当众拆封", value=held.secrets["主办方"])
        assert DrawParty.objects.get(pk=silent.pk).revealed_by == "escrow"


def test_the_beacon_is_entered_once_after_its_hour_and_somebody_else_draws(made: Judged) -> None:
    held = world.revealing(made)
    with clock.at(held.due - HOUR):
        refused(NotNow, "beacon_has_fallen", services.enter_beacon, held.draw, BALLS, evidence="公告", by=made.desk.officer)
    with clock.at(held.due):
        refused(Invalid, "draw_evidence", services.enter_beacon, held.draw, BALLS, evidence=" ", by=made.desk.officer)
        refused(Invalid, "draw_value", services.enter_beacon, held.draw, "13812345678", evidence="公告", by=made.desk.officer)
        services.enter_beacon(held.draw, "０３ 07  12", evidence="公告", by=made.desk.officer)
        assert Draw.objects.get(pk=held.draw.pk).beacon_value == "03 07 12"
        refused(NotNow, "beacon_is_open", services.enter_beacon, held.draw, BALLS, evidence="公告", by=made.desk.officer)
        refused(NotYou, "not_beacon_entered_by", services.draw_now, held.draw, by=made.desk.officer)


def test_a_failed_draw_stays_visible_and_the_next_has_a_number_and_a_reason(made: Judged) -> None:
    held = world.committed(made)
    start = world.after(made.call)
    with clock.at(held.due):
        refused(NotYou, "may_approve_calls", services.fail_draw, held.draw, "随机源停播", by=made.desk.officer)
        refused(Invalid, "reason_given", services.fail_draw, held.draw, " ", by=made.desk.approver)
        services.fail_draw(held.draw, "随机源停播", by=made.desk.approver)
        more = {"parties": held.parties, "beacon": {"kind": "drand", "round": 99_000_000}, "by": made.desk.officer}
        refused(NotNow, "numbered_with_reason", services.publish, made.call, **more)
        again = services.publish(made.call, reason="第一次抽取的随机源停播", **more)
    assert (again.number, again.announced["number"], again.announced["reason"]) == (2, 2, "第一次抽取的随机源停播")
    assert again.announced["beacon"]["due"] == transcript.round_moment(99_000_000)
    shown = text(Client().get(reverse("square:draws")))
    assert "已终止" in shown and "第 2 次" in shown
    with clock.at(start + timedelta(days=1)):
        refused(NotNow, "no_other_draw", services.publish, made.call, reason="再来", **more)


def test_two_running_draws_of_one_call_are_refused_by_the_database_too(made: Judged) -> None:
    draw = world.published(made).draw
    with pytest.raises(IntegrityError), transaction.atomic():
        Draw.objects.create(
            call=draw.call, about="panel", mode=draw.mode, announced=draw.announced, announced_sha256="0" * 64, published_by=draw.published_by,
            created_at=clock.now(),
        )  # fmt: skip


def test_a_drawn_panel_is_not_drawn_again(made: Judged) -> None:
    held = world.revealing(made)
    finished(made, held)
    beacon = {"kind": "named", "source": "双色球", "round": "2026040", "due": held.due + timedelta(days=3)}
    with clock.at(held.due + 2 * HOUR):
        refused(NotNow, "no_other_panel", services.publish, made.call, parties=held.parties, beacon=beacon, by=made.desk.officer, reason="不合意")


def test_the_challenge_window_holds_the_commitments_back_and_an_open_challenge_too(made: Judged) -> None:
    held = world.published(made, challenge_until=world.after(made.call) + 2 * HOUR)
    with clock.at(held.due - 5 * HOUR):
        refused(NotNow, "challenges_over", services.start_draw, held.draw, by=made.desk.officer)
    with clock.at(held.due - 3 * HOUR):
        asked = services.challenge(made.bids[0], name="专家S01", reason="原单位同事", by=made.bodies[0].signatory)
        refused(NotNow, "challenges_decided", services.start_draw, held.draw, by=made.desk.officer)
        services.reject_challenge(asked, "离职已满三年", by=made.desk.approver)
        assert services.start_draw(held.draw, by=made.desk.officer).state == "committing"


def test_the_parties_are_written_to_and_it_waits_for_them(made: Judged) -> None:
    held = world.published(made)
    bidder = held.of("申报方代表")
    effects.drain()
    told = Message.objects.get(template="review/draw_published", to=bidder)
    assert told.link == reverse("review:challenge", args=[made.bids[0].pk])
    with clock.at(held.due - 3 * HOUR):
        services.start_draw(held.draw, by=made.desk.officer)
        effects.drain()
        assert [str(w.label) for w in pages.waiting(bidder)] == ["承诺抽取用的随机数"]
    assert Message.objects.filter(template="review/draw_party", to=bidder).count() == 1
    client = of(bidder)
    page = text(client.get(reverse("desk:step", args=["draw", held.draw.pk, "commit"])))
    assert "openssl rand -hex 32" in page
    with clock.at(held.due - 2 * HOUR):
        answer = client.post(reverse("desk:step", args=["draw", held.draw.pk, "commit"]), {"secret": held.secrets["申报方代表"]})
    assert answer.status_code == 302
    assert of(made.bodies[1].signatory).get(reverse("desk:object", args=["draw", held.draw.pk])).status_code == 404


def test_the_organiser_publishes_on_a_page_and_nothing_typed_is_lost(made: Judged) -> None:
    watcher, url = people.appointed("observer", made.call), reverse("review:publish_draw", args=[made.call.pk])
    typed = {
        "name_1": "主办方", "user_1": made.desk.officer.username, "name_2": "监督", "user_2": "没有这个人", "name_3": "申报方代表",
        "user_3": made.bodies[0].signatory.username, "beacon_kind": "named", "source": "双色球", "round": "2026039", "due": "2099-01-01T21:15",
    }  # fmt: skip
    with clock.at(world.after(made.call)):
        client = of(made.desk.officer)
        first = client.post(url, typed)
        assert first.status_code == 422 and "没有这个用户名" in text(first) and "2026039" in text(first)
        assert client.post(url, {**typed, "user_2": watcher.username}).status_code == 302
        assert client.get(url).status_code == 302  # one is running: its own page
        assert of(made.desk.finance).get(url).status_code == 403
    draw = Draw.objects.get()
    assert draw.announced["parties"] == ["主办方", "监督", "申报方代表"]
    assert draw.announced["beacon"]["due"] == "2099-01-01T13:15:00Z"


def test_bystanders_see_the_draw_its_file_and_no_name_of_an_expert(made: Judged) -> None:
    held = world.revealing(made)
    page, file = reverse("square:draw", args=[held.draw.pk]), reverse("square:draw_file", args=[held.draw.pk])
    before = Client().get(page)
    assert "还没有填写" in text(before) and held.draw.announced_sha256 in text(before)
    draw = finished(made, held)
    shown, body = text(Client().get(page)), Client().get(file).content
    assert draw.transcript["chosen"][0] in shown and "python manage.py draw verify" in shown
    assert all(check.ok for check in transcript.verify(read(body, complete=True)))
    for expert in made.experts.values():
        assert expert.user.name not in shown and expert.user.name not in body.decode()
    assert Client().get(reverse("square:draw_check")).status_code == 200


def test_a_simple_draw_leaves_the_same_kind_of_file(made: Judged) -> None:
    other = world.judged(world.rules(name="YX-2026-09"))
    panel = world.convened(other.call, other.desk.officer, value="骰子 3-5-2")
    draw = Draw.objects.get(panel=panel)
    assert (draw.mode, draw.state, draw.transcript["beacon"]["value"]) == ("simple", "drawn", "骰子 3-5-2")
    assert all(check.ok for check in transcript.verify(draw.transcript))
    assert panel.draw["order"] == draw.transcript["order"]


# --- conflicts: challenges, their bound, and what comes late --------------------------------------------------------------------


def test_a_bid_may_challenge_three_or_a_tenth_of_the_pool_and_no_more(made: Judged) -> None:
    from review.challenge_rules import bound

    assert [bound(n) for n in (1, 29, 39, 40, 200)] == [3, 3, 3, 4, 20]
    bidder = made.bodies[0].signatory
    with clock.at(world.after(made.call)):
        for n in range(3):
            services.challenge(made.bids[0], name=f"某人{n}", reason="同事", by=bidder)
        refused(NotNow, "within_the_bound", services.challenge, made.bids[0], name="第四人", reason="同事", by=bidder)
        refused(NotYou, "may_write_bids", services.challenge, made.bids[1], name="某人", reason="同事", by=bidder)
        refused(Invalid, "reason_given", services.challenge, made.bids[1], name="某人", reason=" ", by=made.bodies[1].signatory)
        page = text(of(bidder).get(reverse("review:challenge", args=[made.bids[0].pk])))
        assert "最多申请 3 位，还可以申请 0 位" in page
        client = of(made.bodies[1].signatory)
        url = reverse("review:challenge", args=[made.bids[1].pk])
        assert client.post(url, {"name": "专家S02", "reason": "有诉讼"}).status_code == 302
        assert of(bidder).get(url).status_code in (403, 404)


def test_an_upheld_challenge_voids_the_ballot_and_calls_the_alternate(made: Judged) -> None:
    """Never averaged over fewer: the bid has as many live reviews as before, none of them the challenged expert's."""
    other = world.judged(world.rules(name="YX-2026-10"))
    panel = world.started(other.call, other.desk.officer)
    review = world.scored(world.review_of(panel, other.bids[0]))
    before = panel.reviews.filter(bid=other.bids[0], state__in=("assigned", "accepted", "submitted")).count()
    with clock.at(world.after(other.call, 5)):
        asked = services.challenge(other.bids[0], name=review.expert.user.name, reason="负责人的配偶", by=other.bodies[0].signatory)
        refused(NotYou, "may_approve_calls", services.uphold_challenge, asked, review.expert, "属实", by=other.desk.officer)
        services.uphold_challenge(asked, review.expert, "户籍记录属实", by=other.desk.approver)
        effects.drain()
    review.refresh_from_db()
    assert review.state == "voided"
    live = panel.reviews.filter(bid=other.bids[0], state__in=("assigned", "accepted", "submitted"))
    assert live.count() == before
    assert review.expert_id not in live.values_list("expert_id", flat=True)


def test_one_person_cannot_both_propose_and_dismiss_even_beside_the_service(made: Judged) -> None:
    other = world.judged(world.rules(name="YX-2026-12"))
    panel = world.convened(other.call, other.desk.officer)
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    services.add_relation(member.expert, other.bodies[0].organisation, "mentor", by=member.expert.user)
    hit = services.check_conflicts(panel, by=other.desk.officer)[0]
    services.propose_dismissal(hit, "协议没有签成", by=other.desk.officer)
    services.keep_hit(hit, "有付款记录", by=other.desk.approver)
    assert ConflictHit.objects.get(pk=hit.pk).proposed_by is None
    services.propose_dismissal(hit, "付款已退回", by=other.desk.officer)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConflictHit.objects.filter(pk=hit.pk).update(dismissed_by=other.desk.officer, dismissal_reason="自己批自己")


def test_a_dismissed_finding_is_not_raised_again_by_another_check(made: Judged) -> None:
    other = world.judged(world.rules(name="YX-2026-13"))
    panel = world.convened(other.call, other.desk.officer)
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    services.add_relation(member.expert, other.bodies[0].organisation, "mentor", by=member.expert.user)
    hit = services.check_conflicts(panel, by=other.desk.officer)[0]
    services.propose_dismissal(hit, "协议没有签成", by=other.desk.officer)
    services.dismiss_hit(hit, "已核", by=other.desk.approver)
    assert services.check_conflicts(panel, by=other.desk.officer) == []
    services.add_relation(member.expert, other.bodies[0].organisation, "dispute", by=member.expert.user)
    assert len(services.check_conflicts(Panel.objects.get(pk=panel.pk), by=other.desk.officer)) == 1
