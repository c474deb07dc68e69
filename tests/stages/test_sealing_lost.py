"""密钥丢失: too few officers have keys left. Two persons declare it, kept copies restore each bid, and nobody else gains anything by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from bidding.loss_rules import LEAST_DAYS
from bidding.models import Bid, OpeningRecord, SealedVersion, SealKey, SealShare
from bidding.sealing import envelope
from bidding.sealing.envelope import KeptCopy
from bidding.sealing.kept import pack
from bidding.services import ceremonies, losses, openings, sealing
from grants import clock
from grants.clock.calendar import end_of_period
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.again import FRESH, Proof, just_now
from grants.workflow.door import explain, perform
from grants.workflow.effects import drain
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as plain
from tests.world import calls, packages, people
from tests.world import sealing as world
from tests.world.fresh import left_open
from tests.world.people import Body, Office
from tests.world.sealing import Sealed

pytestmark = pytest.mark.django_db
REASON = "财务的保险柜五月被盗，纪检的口令纸在搬家时遗失，王某已问过。"


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def found(desk: Office) -> Sealed:
    return world.ready(desk)


def closing(found: Sealed) -> Any:
    return found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)


def report(found: Sealed, **changes: Any) -> SealKey:
    given = {"offices": found.lost(2), "by": found.desk.officer, "note": REASON, "proof": just_now("password"), **changes}
    return losses.report(found.fresh(), given.pop("offices"), **given)


def declare(found: Sealed, **changes: Any) -> SealKey:
    return losses.declare(found.fresh(), **{"by": found.desk.approver, "note": "已逐一问过三名开标人", "proof": just_now("password"), **changes})


def again(bid: Bid) -> Bid:
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


def altered(copy: KeptCopy) -> KeptCopy:
    return KeptCopy(copy.manifest.replace("银龄".encode(), "金龄".encode()), copy.attachments)


class TestTheWholeWay:
    def test_two_of_three_lose_their_keys_and_every_bid_with_its_copy_goes_on_to_review(self, desk: Office, who: Body) -> None:
        """Report, declaration, letters; the right copy restores with the hour of handing in, an altered one does not, without one a bid stays closed."""
        found = world.ready(desk, "YX-2026-01")
        bid, copy = world.handed_in(found, who, attachments={f"{found.call.rules.attachments[0].code}/方案.pdf": plain.pdf()})
        careless = people.body(desk)
        second, other = world.handed_in(found, careless, world.fields("银龄学堂"))
        third, _none = world.handed_in(found, people.body(desk), world.fields("没有留存包"))
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(NotNow, match="留存包"):
                sealing.restore(again(bid), copy, by=who.signatory)
            assert report(found).state == "ready"
            assert declare(found).state == "opened"
            drain()
            record = OpeningRecord.objects.get()
            assert (record.opened, record.failed, record.officers, record.told["why"]) == (0, 3, [], "key_lost")
            assert record.pdf is not None
            assert set(SealedVersion.objects.values_list("refusal", flat=True)) == {"key_lost"}
            restored = sealing.restore(again(bid), copy, by=who.signatory)
            assert restored.title == "银龄守望"
            assert restored.latest is not None
            assert restored.latest.submitted_at == SealedVersion.objects.get(bid=bid).submitted_at
            assert restored.attachments.count() == 1
            with pytest.raises(Invalid, match="承诺值"):
                sealing.restore(again(second), altered(other), by=careless.signatory)
            assert again(second).is_sealed
            assert sealing.restore(again(second), other, by=careless.signatory).title == "银龄学堂"
            assert losses.left_closed(found.fresh()) == {"restored": 2, "left": 1}
            with pytest.raises(NotNow, match="密封着"):
                plain.admitted(again(third), desk)
            assert plain.admitted(again(bid), desk).state == "admitted"
        assert again(third).is_sealed and again(third).title == "密封投标"

    def test_letters_say_that_keys_were_lost_and_not_that_a_bid_was_damaged(self, found: Sealed, who: Body) -> None:
        bid, _copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            drain()
            asked = Message.objects.filter(template="bidding/key_reported")
            assert {m.to_id for m in asked} == {o.user.pk for o in found.officers}
            assert all(reverse("bidding:seal_lost", args=[found.call.pk]) in m.link for m in asked)
            declare(found)
            drain()
        letter = Message.objects.get(to=who.signatory, template="bidding/key_lost")
        assert "钥匙已经丢失" in letter.body and "留存包" in letter.body and bid.number in letter.body
        assert letter.link == reverse("bidding:restore", args=[bid.pk])
        assert not Message.objects.filter(template__in=("bidding/not_opened", "bidding/opened")).exists()
        assert REASON not in "".join(Message.objects.values_list("body", flat=True))

    def test_kept_copies_are_taken_until_the_day_that_was_declared_and_no_longer(self, found: Sealed, desk: Office, who: Body) -> None:
        """Ten working days by default; on letter, page and in the log; a copy on the last evening restores, after midnight it is refused with what remains."""
        bid, copy = world.handed_in(found, who)
        late = people.body(desk)
        second, other = world.handed_in(found, late, world.fields("迟到"))
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            key = declare(found)
            drain()
            assert key.kept_until == end_of_period(clock.now(), LEAST_DAYS, "working").ends_at
            page = Client().get(reverse("bidding:seal_public", args=[found.call.code])).content.decode()
            mine = Client()
            mine.force_login(who.signatory)
            form = mine.get(reverse("bidding:restore", args=[bid.pk])).content.decode()
        day = f"{key.kept_last_day.year}年{key.kept_last_day.month}月{key.kept_last_day.day}日"
        letter = Message.objects.get(to=who.signatory, template="bidding/key_lost")
        assert all(day in text for text in (letter.body, page, form)) and "过了这一天不能再恢复" in letter.body
        assert key.kept_until.isoformat() in bytes(AuditEvent.objects.get(event="seal.declare_lost").leaf).decode()
        with clock.at(key.kept_until - timedelta(seconds=1)):
            assert sealing.restore(again(bid), copy, by=who.signatory).title == "银龄守望"
            with pytest.raises(NotNow, match="那以后再作结论"):
                perform(again(second), "reject", by=desk.officer, note="没有留存包")
        with clock.at(key.kept_until):
            with pytest.raises(NotNow, match=r"已经过了，这份投标不能再恢复。主办方会作出不予受理的结论"):
                sealing.restore(again(second), other, by=late.signatory)
            assert again(second).is_sealed
            assert perform(again(second), "reject", by=desk.officer, note="没有留存包").state == "rejected"

    def test_the_day_may_be_later_than_ten_working_days_and_not_earlier(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            least = end_of_period(clock.now(), LEAST_DAYS, "working").last_day
            with pytest.raises(Invalid, match="不能更早") as early:
                declare(found, last=least - timedelta(days=1))
            assert list(early.value.problems) == ["last"]
            assert found.fresh().state == "ready" and not OpeningRecord.objects.exists()
            assert declare(found, last=least + timedelta(days=7)).kept_last_day == least + timedelta(days=7)

    def test_a_loss_of_before_there_was_a_day_has_none(self, found: Sealed, who: Body) -> None:
        bid, copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            declare(found)
        SealKey.objects.update(kept_until=None)
        with clock.at(closing(found) + timedelta(days=200)):
            assert sealing.restore(again(bid), copy, by=who.signatory).title == "银龄守望"

    def test_the_reason_stands_in_the_private_part_of_the_log_and_in_no_record(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            declare(found)
        entry = losses.told(found.fresh())
        assert entry is not None and entry.private is not None
        assert (entry.private["note"], entry.private["offices"]) == (REASON, found.lost(2))
        assert entry.public["left"] == 1
        assert "财务" not in json.dumps(dict(entry.public), ensure_ascii=False)
        document = OpeningRecord.objects.get().document
        assert "盗" not in document and "财务" not in document
        told = list(AuditEvent.objects.filter(event__startswith="seal.").order_by("pk").values_list("event", flat=True))
        assert told[-2:] == ["seal.report_lost", "seal.declare_lost"]

    def test_layers_that_a_group_had_taken_off_are_put_away(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            found.to_the_last(found.share())
            assert SealShare.objects.exclude(waiting="").exists()
            report(found)
            declare(found)
        assert not SealShare.objects.exclude(waiting="", layer=0).exists()

    def test_a_call_without_any_bid_may_be_declared_too(self, found: Sealed) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            declare(found)
            drain()
        assert OpeningRecord.objects.get().told["why"] == "key_lost"
        assert OpeningRecord.objects.get().failed == 0


class TestRefusals:
    def test_nobody_reports_before_the_deadline_and_the_drain(self, found: Sealed, who: Body, settings: Any) -> None:
        world.handed_in(found, who)
        with clock.at(plain.before_closing(found.call)), pytest.raises(NotNow, match="还没有截止"):
            report(found)
        found = world.closed(found)
        settings.SUBMISSION_DRAIN = 60
        with clock.at(found.call.closes_at), pytest.raises(NotNow, match="还在登记"):
            report(found)

    def test_who_reported_does_not_declare_and_a_report_comes_first(self, found: Sealed) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(NotNow, match="还没有人报告"):
                declare(found)
            report(found)
            with pytest.raises(NotYou, match="另一位"):
                declare(found, by=found.desk.officer)
            with pytest.raises(NotNow, match="已经有人报告"):
                report(found, by=found.desk.approver)
        assert found.fresh().state == "ready"
        assert not OpeningRecord.objects.exists()

    def test_officers_of_the_key_bidders_auditors_and_strangers_neither_report_nor_declare(self, found: Sealed, who: Body) -> None:
        found = world.closed(found)
        outside = [found.officers[2].user, who.signatory, found.desk.auditor, people.person(), people.office("邻县民政局").approver]
        with clock.at(closing(found)):
            for person in outside:
                with pytest.raises(NotYou):
                    report(found, by=person)
            report(found)
            for person in outside:
                with pytest.raises(NotYou):
                    declare(found, by=person)

    def test_while_enough_keys_are_left_there_is_nothing_to_report(self, found: Sealed) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(NotNow, match="请他们开标"):
                report(found, offices=found.lost(1))
            with pytest.raises(NotNow, match="请勾选"):
                report(found, offices=[])
            with pytest.raises(NotNow, match="请勾选"):
                report(found, offices=["没有的岗位", *found.lost(2)])
        assert found.fresh().lost_reported_by is None

    @pytest.mark.parametrize("proof", [None, Proof("password", datetime.now(UTC) - FRESH)])
    def test_nobody_reports_or_declares_without_having_just_shown_who_they_are(self, found: Sealed, proof: Proof | None) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(NotNow, match="再次验证身份"):
                report(found, proof=proof)
            report(found)
            with pytest.raises(NotNow, match="再次验证身份"):
                declare(found, proof=proof)
        assert not OpeningRecord.objects.exists()

    def test_without_a_written_reason_nothing_is_reported_or_declared(self, found: Sealed) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(Invalid, match="写明经过"):
                report(found, note="  ")
            report(found)
            with pytest.raises(Invalid, match="写明经过"):
                declare(found, note="")
        assert found.fresh().state == "ready"

    def test_the_database_itself_refuses_one_person_twice(self, found: Sealed) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            SealKey.objects.filter(pk=found.key.pk).update(lost_reported_by=found.desk.officer, lost_declared_by=found.desk.officer)
        with pytest.raises(IntegrityError), transaction.atomic():
            SealKey.objects.filter(pk=found.key.pk).update(lost_declared_by=found.desk.officer)

    def test_a_declaration_that_was_cut_off_has_closed_nothing(self, found: Sealed, who: Body, monkeypatch: Any) -> None:
        bid, _copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            with monkeypatch.context() as cut:
                cut.setattr(losses, "perform", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt()))
                with pytest.raises(KeyboardInterrupt), transaction.atomic():
                    declare(found)
            assert again(bid).seal_refusal == ""
            assert not OpeningRecord.objects.exists()
            assert declare(found).is_lost


class TestFoundAgain:
    def test_a_key_found_before_the_declaration_withdraws_the_report_and_the_call_opens(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            back = losses.withdraw(found.fresh(), by=found.officers[0].user, note="口令纸找到了")
            assert (back.lost_reported_by, back.lost_reported_at) == (None, None)
            with pytest.raises(NotNow, match="还没有人报告"):
                declare(found)
            with pytest.raises(NotNow, match="还没有人报告"):
                losses.withdraw(found.fresh(), by=found.desk.officer)
            assert found.open().state == "opened"
        assert not found.fresh().is_lost
        assert OpeningRecord.objects.get().opened == 1

    def test_an_opening_settles_a_report_that_still_stands(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            opened = found.open()
            assert opened.lost_reported_by is None
            with pytest.raises(NotNow, match="已开标"):
                declare(found)
        assert OpeningRecord.objects.get().told.get("why") is None

    def test_a_stranger_withdraws_nothing(self, found: Sealed, who: Body) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            for person in (who.signatory, found.desk.auditor, people.person()):
                if person.pk in {o.user.pk for o in found.officers}:
                    continue
                with pytest.raises(NotYou):
                    losses.withdraw(found.fresh(), by=person)
        assert found.fresh().lost_reported_by is not None

    def test_a_key_found_after_the_declaration_opens_nothing_and_is_told_why(self, found: Sealed, who: Body) -> None:
        bid, copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            last, secret = found.to_the_last(found.share())
            report(found)
            declare(found)
            first = found.of(found.share(1).at_turn)
            with pytest.raises(NotNow, match="找回的钥匙不再用来开标"):
                openings.open_bids(found.share(), secret, by=last.user)
            with pytest.raises(NotNow, match="找回的钥匙不再用来开标"):
                ceremonies.pass_on(found.share(1), b"age-encryption.org/v1\nx", by=first.user)
            with pytest.raises(NotNow, match="找回的钥匙不再用来开标"):
                losses.withdraw(found.fresh(), by=last.user)
            refusal = explain(found.fresh(), "open", last.user)
            assert refusal is not None and "密钥丢失" in str(refusal)
            assert again(bid).is_sealed
            assert not AuditEvent.objects.filter(event="bid.unseal").exists()
            assert sealing.restore(again(bid), copy, by=who.signatory).title == "银龄守望"


def shown_again(person: Any, page: str) -> Client:
    """A browser whose person has just given the password again, as the page asks."""
    client = left_open(browser(person))
    asked = client.get(page)
    assert asked.status_code == 302 and asked["Location"].startswith(reverse("account_reauthenticate"))
    assert client.post(asked["Location"], {"password": people.PASSWORD})["Location"] == page
    return client


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


class TestPages:
    def test_from_the_report_to_the_restored_bid_on_the_pages(self, found: Sealed, who: Body) -> None:
        bid, copy = world.handed_in(found, who)
        found = world.closed(found)
        page, seal = reverse("bidding:seal_lost", args=[found.call.pk]), reverse("bidding:seal", args=[found.call.pk])
        public, home = reverse("bidding:seal_public", args=[found.call.code]), reverse("desk:home")
        with clock.at(closing(found)):
            assert page in browser(found.desk.officer).get(seal).content.decode()
            officer = shown_again(found.desk.officer, page)
            shown = officer.get(page).content.decode()
            assert "还没有人报告密钥丢失" in shown and "1 份投标都记为没有打开" in shown
            few = officer.post(page, {"act": "report_lost", "offices": found.lost(1), "note": REASON})
            assert few.status_code == 409 and "请他们开标" in few.content.decode() and REASON in few.content.decode()
            assert officer.post(page, {"act": "report_lost", "offices": found.lost(2), "note": ""}).status_code == 422
            assert officer.post(page, {"act": "report_lost", "offices": found.lost(2), "note": REASON}).status_code == 302
            assert "须由另一位" in officer.get(page).content.decode()
            assert "有人报告密钥丢失" in browser(found.officers[2].user).get(seal).content.decode()
            assert "核对并宣布密钥丢失" not in officer.get(home).content.decode()
            assert "核对并宣布密钥丢失" in browser(found.desk.approver).get(home).content.decode()
            approver = shown_again(found.desk.approver, page)
            assert REASON in approver.get(page).content.decode()
            late = approver.post(page, {"act": "report_lost", "offices": found.lost(2), "note": REASON})
            assert late.status_code == 409 and "已经处理" in late.content.decode()
            assert approver.post(page, {"act": "declare_lost", "note": "已问过"}).status_code == 422
            assert not found.fresh().is_lost
            assert approver.post(page, {"act": "declare_lost", "note": "已问过", "sure": "on"}).status_code == 302
            drain()
            for place in (page, seal, reverse("desk:object", args=["seal", found.key.pk])):
                shown = approver.get(place).content.decode()
                assert "密钥丢失，凭留存包恢复" in shown and ">已开标<" not in shown
            assert found.call.title in shown and found.key.fingerprint in shown, "the facts of the key"
            assert "签署开标记录" not in shown and "→ 密钥丢失，凭留存包恢复" in shown
            shown = Client().get(public).content.decode()
            assert "够数的开标钥匙已经丢失" in shown and REASON not in shown and SealedVersion.objects.get().hash in shown
            assert "0 人签署" not in shown
            restore, client = reverse("bidding:restore", args=[bid.pk]), browser(who.signatory)
            assert "钥匙已经丢失" in client.get(restore).content.decode()
            wrong = client.post(restore, {"kept": SimpleUploadedFile("k.zip", pack(altered(copy)))})
            assert wrong.status_code == 422
            assert client.post(restore, {"kept": SimpleUploadedFile("k.zip", pack(copy))}).status_code == 302
            assert "1 份已凭留存包恢复，0 份等" in approver.get(page).content.decode()
            for officer_of_key in found.officers:
                answer = browser(officer_of_key.user)
                assert "等您办理" not in answer.get(reverse("bidding:officer_key")).content.decode()
                assert answer.post(reverse("bidding:seal_sign", args=[found.call.pk])).status_code == 409
        assert again(bid).title == "银龄守望"

    def test_an_officer_of_the_key_withdraws_on_the_page_and_after_the_declaration_is_told_why_not(self, found: Sealed) -> None:
        found = world.closed(found)
        page, back = reverse("bidding:seal_lost", args=[found.call.pk]), reverse("bidding:seal_found", args=[found.call.pk])
        with clock.at(closing(found)):
            client = browser(found.officers[2].user)
            assert client.get(page).status_code == 200, "an officer of the key only reads: nothing to show again"
            assert client.post(back).status_code == 409
            report(found)
            assert back in client.get(page).content.decode()
            assert client.post(back, {"note": "在抽屉里"}).status_code == 302
            assert found.fresh().lost_reported_by is None
            report(found)
            declare(found)
            answer = client.post(back)
            assert answer.status_code == 409 and "找回的钥匙不再用来开标" in answer.content.decode()

    def test_the_page_is_closed_to_strangers_bidders_and_before_the_rehearsal(self, found: Sealed, who: Body) -> None:
        page = reverse("bidding:seal_lost", args=[found.call.pk])
        for person in (who.signatory, people.person(), people.office("邻县民政局").officer):
            assert browser(person).get(page).status_code == 404
            assert browser(person).post(reverse("bidding:seal_found", args=[found.call.pk])).status_code == 404
        assert Client().get(page).status_code == 302
        shown = browser(found.desk.officer).get(page)
        assert shown.status_code == 200 and "还没有截止" in shown.content.decode()
        unrehearsed = world.made(people.office("第三民政局"), "YX-2026-01")
        assert browser(unrehearsed.desk.officer).get(reverse("bidding:seal_lost", args=[unrehearsed.call.pk])).status_code == 404

    def test_a_proof_that_has_grown_old_leads_to_the_password_and_writes_nothing(self, found: Sealed) -> None:
        found = world.closed(found)
        page = reverse("bidding:seal_lost", args=[found.call.pk])
        with clock.at(closing(found)):
            answer = left_open(browser(found.desk.officer)).post(page, {"act": "report_lost", "offices": found.lost(2), "note": REASON})
            assert answer.status_code == 302 and answer["Location"].startswith(reverse("account_reauthenticate"))
        assert found.fresh().lost_reported_by is None

    def test_an_opened_call_has_nothing_to_report(self, found: Sealed) -> None:
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
            shown = browser(found.desk.officer).get(reverse("bidding:seal_lost", args=[found.call.pk])).content.decode()
        assert "已经开标，不需要" in shown and '<form method="post" novalidate>' not in shown


class TestPackage:
    def test_the_package_of_such_a_call_verifies_and_forgeries_of_it_do_not(self, found: Sealed, desk: Office, who: Body, tmp_path: Path) -> None:
        """Two bids, one restored. Refused: a bid left out of the table, a record that hides the reason, one that claims an opened bid."""
        bid, copy = world.handed_in(found, who)
        world.handed_in(found, people.body(desk), world.fields("没有留存包"))
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            declare(found)
            sealing.restore(again(bid), copy, by=who.signatory)
            drain()
            bag = packages.unpacked(found, "auditor", tmp_path / "plain")  # type: ignore[arg-type]
            whole = packages.unpacked(found, "originals", tmp_path / "whole", reason="信访件二〇二六第十二号，核对申报材料原件")  # type: ignore[arg-type]
        check = packages.program(bag)
        assert packages.said(check, bag) == ""
        assert packages.said(check, whole) == ""
        assert (bag / "data/sealing/opening.pdf").exists()
        record = bag / "data/sealing/opening.json"
        real = record.read_text("utf-8")
        for change, sentence in (({"why": ""}, "说法不一"), ({"opened": 1, "failed": 1}, "写着有投标打开")):
            record.write_text(json.dumps({**json.loads(real), **change}, ensure_ascii=False), encoding="utf-8")
            packages.rewrap(bag)
            assert sentence in packages.said(check, bag)
        record.write_text(real, encoding="utf-8")
        table = bag / "data/tables/bids.csv"
        table.write_text("".join(line for line in table.read_text("utf-8").splitlines(True) if bid.number not in line), encoding="utf-8")
        packages.rewrap(bag)
        assert packages.said(check, bag) != ""

    def test_a_withheld_bid_of_such_a_call_is_noticed(self, found: Sealed, who: Body, tmp_path: Path) -> None:
        """The log tells of a sealed bid that the tables do not: once the keys are declared lost it counts."""
        bid, _copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            report(found)
            declare(found)
            drain()
            bag = packages.unpacked(found, "auditor", tmp_path / "plain")  # type: ignore[arg-type]
        check = packages.program(bag)

        class Story:
            def subjects(self, event: str) -> list[str]:
                return {"seal.declare_lost": [found.key.subject], "bid.seal": [bid.subject]}.get(event, [])

            def of(self, _subject: str, *_event: str) -> list[Any]:
                return [{"at": "2026-01-01", "to": "submitted"}]

        tables: dict[str, list[Any]] = {code: [] for code, _event, _gone in check.WITHHELD}
        with pytest.raises(Exception, match="在表格里没有"):
            check.check_withheld(Story(), tables, "2027")
        tables["bids"] = [{"subject": bid.subject}]
        check.check_withheld(Story(), tables, "2027")


def test_the_commitment_and_not_the_name_decides_whose_copy_it_is(found: Sealed, desk: Office, who: Body) -> None:
    """After a declaration another bidder's kept copy restores nothing, although both bids wait for one."""
    bid, _copy = world.handed_in(found, who)
    _other, theirs = world.handed_in(found, people.body(desk))
    found = world.closed(found)
    with clock.at(closing(found)):
        report(found)
        declare(found)
        with pytest.raises(Invalid):
            sealing.restore(again(bid), theirs, by=who.signatory)
    assert again(bid).is_sealed
    assert envelope.hash_of(SealedVersion.objects.get(bid=bid).told) == SealedVersion.objects.get(bid=bid).hash
    assert calls.fresh(found.call).state == "closed"
