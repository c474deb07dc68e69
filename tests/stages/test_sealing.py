"""密封投标 on the server: no key no call, nothing in clear before the opening, two officers open, one bad bid holds nobody up, the kept copy restores."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from bidding.models import Bid, OpeningRecord, SealedVersion, SealShare
from bidding.rules import handed_in as counted
from bidding.sealing import ceremony, envelope, folder
from bidding.services import ceremonies, openings, receipts, sealing
from bidding.services.ceremonies import Seat
from grants import clock, ledger
from grants.calls import services as call_services
from grants.documents.files import path_of, read_file
from grants.documents.inspection import FileRefused
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.workflow.door import explain
from grants.workflow.effects import drain
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as plain
from tests.world import calls, packages, people
from tests.world import sealing as world
from tests.world.people import Body, Office
from tests.world.sealing import SENTENCE, Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def found(desk: Office) -> Sealed:
    return world.ready(desk)


class TestCeremony:
    def test_a_sealed_call_does_not_open_before_a_key_is_made_and_every_group_has_rehearsed(self, desk: Office) -> None:
        made = world.made(desk)
        assert made.call.opens_at is not None
        with clock.at(made.call.opens_at - timedelta(hours=1)):
            shares = list(made.key.shares.all())
            assert len(shares) == 3
            for share in shares[:-1]:
                assert made.rehearse(share).state == "made"
        with clock.at(made.call.opens_at):
            call_services.tick()
            assert calls.fresh(made.call).state == "published"
            refusal = explain(calls.fresh(made.call), "open", ledger_clock())
            assert refusal is not None
            assert "每一组" in str(refusal)
            assert made.rehearse(shares[-1]).state == "ready"
            call_services.tick()
            assert calls.fresh(made.call).state == "open"

    def test_a_call_without_seals_needs_no_key(self, desk: Office) -> None:
        assert calls.opened(desk).state == "open"

    def test_only_whose_turn_it_is_takes_a_layer_off_and_the_order_is_the_groups(self, desk: Office) -> None:
        made = world.made(desk)
        share = made.share()
        first, last = made.of(share.group[-1]), made.of(share.group[0])
        with pytest.raises(NotNow, match=first.name):
            ceremonies.pass_on(share, b"age-encryption.org/v1\nx", by=last.user)
        with pytest.raises(NotNow, match=first.name):
            ceremonies.pass_on(share, b"age-encryption.org/v1\nx", by=desk.officer)

    def test_what_is_not_sealed_is_not_taken_for_a_layer(self, desk: Office) -> None:
        made = world.made(desk)
        share = made.share()
        with pytest.raises(Invalid):
            ceremonies.pass_on(share, b"AGE-SECRET-KEY-1PLAIN", by=made.of(share.at_turn).user)
        assert not SealShare.objects.exclude(waiting="").exists()

    def test_a_rehearsal_with_other_content_fails_and_is_not_noted(self, desk: Office) -> None:
        made = world.made(desk)
        last, _secret = made.to_the_last(made.share())
        with clock.at(calls.BEFORE), pytest.raises(Invalid):
            ceremonies.rehearse(made.share(), b"something else", by=last.user)
        assert made.share().rehearsed_at is None

    def test_a_lost_key_is_replaced_before_the_opening_and_never_after(self, desk: Office, found: Sealed) -> None:
        with pytest.raises(NotNow, match="无法打开"):
            ceremonies.replace(found.key, by=desk.officer, note="丢了")
        other = people.office()
        made = world.made(other, "YX-2026-01")
        with clock.at(calls.BEFORE):
            ceremonies.replace(made.key, by=other.officer, note="财务的钥匙丢了")
            again = ceremonies.make_here(made.call, [Seat(o.user, o.name) for o in made.officers], by=other.officer)
        assert again.recipient != made.key.recipient

    def test_a_second_key_a_stranger_and_an_officer_without_a_key_are_refused(self, desk: Office) -> None:
        made = world.made(desk)
        seats = [Seat(o.user, o.name) for o in made.officers]
        with clock.at(calls.BEFORE):
            with pytest.raises(NotNow):
                ceremonies.make_here(made.call, seats, by=desk.officer)
            with pytest.raises(NotYou):
                ceremonies.make_here(made.call, seats, by=desk.finance)
            with pytest.raises(Invalid, match="还没有登记"):
                ceremonies.make_here(made.call, [*seats[:2], Seat(desk.officer, "经办")], by=desk.officer)

    def test_the_key_of_a_call_stands_nowhere_on_the_server(self, desk: Office) -> None:
        made = world.made(desk)
        _last, secret = made.to_the_last(made.share())
        assert secret.startswith("AGE-SECRET-KEY-1")
        assert secret not in dump()


class TestHandingIn:
    def test_nothing_of_a_sealed_bid_stands_in_the_database_or_the_files_before_the_opening(self, found: Sealed, who: Body) -> None:
        """Every table and every file is searched for a sentence, the title and the attachment's text; after the opening they are found."""
        before = kept()
        world.handed_in(found, who, attachments={"budget/预算.pdf": plain.pdf(SENTENCE)})
        drain()
        found = world.closed(found)
        everything = dump() + files(before)
        for secret in (SENTENCE, "银龄守望", "不会被保存"):
            assert secret not in everything
        with clock.at(closing(found)):
            found.open()
        assert "银龄守望" in dump()

    def test_the_receipt_names_hashes_only_and_is_signed_at_once(self, found: Sealed, who: Body) -> None:
        bid, _copy = world.handed_in(found, who)
        (held,) = receipts.of_bid(bid)
        told = receipts.about(held)
        version = bid.sealed_latest
        assert version is not None
        assert told["content"] == version.hash == envelope.hash_of(version.told)
        assert told["grant"] == ""
        assert told["sealed"] == "client"
        drain()
        version.refresh_from_db()
        assert version.receipt is not None
        assert read_file(version.receipt_id).startswith(b"%PDF")
        assert Message.objects.filter(to=who.signatory, template="bidding/receipt").count() == 1

    def test_a_version_replaces_the_one_before_and_a_withdrawal_is_possible(self, found: Sealed, who: Body) -> None:
        bid, _copy = world.handed_in(found, who)
        with clock.at(plain.before_closing(found.call)):
            bid, _copy = world.again(found, bid, who, world.fields("第二稿"))
            assert [v.number for v in bid.sealed_versions.all()] == [1, 2]
            from bidding import services as bids

            bid = bids.withdraw(bid, by=who.signatory)
            assert bid.state == "withdrawn"
            bid, _copy = world.again(found, bid, who, world.fields("第三稿"))
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
        bid = Bid.objects.get(pk=bid.pk)
        assert bid.title == "第三稿"
        assert bid.latest is not None
        assert bid.latest.number == 3

    def test_plain_text_another_bids_header_an_altered_file_and_a_stale_version_are_refused(self, found: Sealed, who: Body) -> None:
        bid = world.begun(found.call, who)
        pledges = plain.pledges(found.call)
        with clock.at(plain.before_closing(found.call)):
            place = sealing.place_of(bid)
            sealed, _copy = envelope.sealed(place, sealing.payload(bid, world.fields(), pledges), {}, found.key.recipient)
            refused = {
                "not_sealed": (sealed.header, {"manifest": b'{"plain":1}'}),
                "damaged": (sealed.header, {"manifest": sealed.files["manifest"] + b"x"}),
                "missing": (sealed.header, {}),
                "unlisted": (sealed.header, {**sealed.files, "extra": sealed.files["manifest"]}),
                "other_bid": ({**sealed.header, "organisation": "somebody/else"}, sealed.files),
                "header": ({**sealed.header, "size": 1.5}, sealed.files),
            }
            for rule, (header, given) in refused.items():
                with pytest.raises(Invalid) as wrong:
                    sealing.hand_in(bid, header, given, by=who.signatory, declarations=pledges)
                assert wrong.value.rule == rule
            with pytest.raises(NotNow, match="另一次提交"):
                sealing.hand_in(bid, {**sealed.header, "version": 2}, sealed.files, by=who.signatory, declarations=pledges)
            with pytest.raises(Invalid, match="承诺书"):
                sealing.hand_in(bid, sealed.header, sealed.files, by=who.signatory, declarations=[])
        assert not SealedVersion.objects.exists()
        assert Bid.objects.get(pk=bid.pk).state == "draft"

    def test_late_is_late_to_the_second(self, found: Sealed, who: Body) -> None:
        bid = world.begun(found.call, who)
        with clock.at(found.call.closes_at), pytest.raises(NotNow):
            world.again(found, bid, who)

    def test_ordinary_writing_and_submitting_are_closed_while_a_bid_is_sealed(self, found: Sealed, who: Body) -> None:
        from bidding import services as bids

        bid = world.begun(found.call, who)
        with clock.at(plain.before_closing(found.call)):
            with pytest.raises(NotNow, match="密封"):
                bids.save_basics(bid, by=who.signatory, title="明文")
            with pytest.raises(NotNow, match="密封"):
                bids.submit(bid, by=who.signatory, declarations=plain.pledges(found.call))
        assert Bid.objects.get(pk=bid.pk).title == "密封投标"

    def test_sealed_by_the_server_only_ciphertext_is_stored_and_the_copy_is_the_bidders(self, found: Sealed, who: Body) -> None:
        before, bid = kept(), world.begun(found.call, who)
        with clock.at(plain.before_closing(found.call)):
            bid, copy = sealing.seal_here(
                bid, world.fields(), {"a/b.pdf": plain.pdf(SENTENCE)}, by=who.signatory, declarations=plain.pledges(found.call)
            )
        assert SENTENCE in copy.manifest.decode()
        assert SENTENCE not in dump() + files(before)
        version = bid.sealed_latest
        assert version is not None
        assert version.mode == "server"


class TestOpening:
    def test_nobody_opens_before_the_deadline_has_passed_and_the_drain_is_over(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        with clock.at(plain.before_closing(found.call)), pytest.raises(NotNow, match="还没有截止"):
            found.open()

    def test_two_officers_open_everything_and_sign_the_record(self, found: Sealed, desk: Office, who: Body) -> None:
        first, _copy = world.handed_in(found, who)
        second, _copy = world.handed_in(found, people.body(desk), world.fields("法律援助进社区"))
        found = world.closed(found)
        with clock.at(closing(found)):
            key = found.open(1)
            assert key.state == "opened"
            assert {b.title for b in Bid.objects.filter(call=found.call)} == {"银龄守望", "法律援助进社区"}
            record = OpeningRecord.objects.get()
            assert (record.opened, record.failed) == (2, 0)
            headers = {row["header"] for row in record.told["bids"]}
            assert headers == {v.hash for v in SealedVersion.objects.all()}
            for name in record.officers:
                openings.sign(key, by=found.of(name).user)
            with pytest.raises(NotNow, match="已经签署"):
                openings.sign(key, by=found.of(record.officers[0]).user)
            absent = next(o for o in found.officers if o.name not in record.officers)
            with pytest.raises(NotNow, match="没有参加"):
                openings.sign(key, by=absent.user)
            drain()
        record.refresh_from_db()
        assert record.pdf is not None
        events = list(AuditEvent.objects.filter(event__startswith="seal.").order_by("pk").values_list("event", flat=True))
        assert events[-4:] == ["seal.peel", "seal.open", "seal.sign", "seal.sign"]
        assert Message.objects.filter(template="bidding/opened").count() == 2
        assert [h.number for h in receipts.of_bid(Bid.objects.get(pk=first.pk))] == [f"{first.number}-H1"]
        assert second.number in {b.number for b in Bid.objects.filter(counted())}

    def test_the_agency_does_not_even_see_a_bid_before_it_is_opened(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            assert not Bid.visible.filter(Bid.objects.all(), found.desk.officer).exists()
            found.open()
            assert Bid.visible.filter(Bid.objects.all(), found.desk.officer).exists()

    def test_one_bid_that_does_not_open_never_holds_up_the_others_and_its_kept_copy_restores_it(
        self, found: Sealed, desk: Office, who: Body
    ) -> None:
        broken, copy = world.handed_in(found, who)
        world.handed_in(found, people.body(desk), world.fields("完好的一份"))
        version = broken.sealed_latest
        assert version is not None
        path = path_of(version.files.get(name="manifest").file_id)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1])
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
            record = OpeningRecord.objects.get()
            assert (record.opened, record.failed) == (1, 1)
            drain()
            letter = Message.objects.get(to=who.signatory, template="bidding/not_opened")
            assert "留存包" in letter.body
            broken = Bid.objects.select_related(*Bid.door_select).get(pk=broken.pk)
            other = envelope.KeptCopy(copy.manifest.replace("银龄".encode(), "金龄".encode()), copy.attachments)
            with pytest.raises(Invalid):
                sealing.restore(broken, other, by=who.signatory)
            assert Bid.objects.get(pk=broken.pk).title == "密封投标"
            restored = sealing.restore(broken, copy, by=who.signatory)
        assert restored.title == "银龄守望"
        assert restored.latest is not None
        assert restored.latest.submitted_at == version.submitted_at

    def test_a_copy_is_not_taken_for_a_bid_that_opened(self, found: Sealed, who: Body) -> None:
        bid, copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
            bid = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
            with pytest.raises(NotNow):
                sealing.restore(bid, copy, by=who.signatory)

    def test_a_copy_is_no_way_round_the_officers_before_the_opening(self, found: Sealed, who: Body) -> None:
        bid, copy = world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)), pytest.raises(NotNow, match="留存包"):
            sealing.restore(bid, copy, by=who.signatory)
        assert Bid.objects.get(pk=bid.pk).is_sealed

    def test_what_was_in_at_the_door_is_written_down_before_anybody_opens(self, found: Sealed, settings: Any) -> None:
        found = world.closed(found)
        settings.SUBMISSION_DRAIN = 60
        with clock.at(found.call.closes_at + timedelta(seconds=59)):
            refusal = explain(found.key, "open", found.officers[0].user)
            assert refusal is not None
            assert "还在登记" in str(refusal)
        with clock.at(found.call.closes_at + timedelta(seconds=60)):
            assert explain(found.key, "open", found.officers[0].user) is None

    def test_another_calls_key_opens_nothing(self, found: Sealed, who: Body) -> None:
        world.handed_in(found, who)
        found = world.closed(found)
        with clock.at(closing(found)):
            last, _secret = found.to_the_last(found.share())
            with pytest.raises(Invalid, match="不是本次征集"):
                openings.open_bids(found.share(), found.officers[0].secret, by=last.user)
        assert not OpeningRecord.objects.exists()

    def test_headers_swapped_between_two_organisations_do_not_open(self, found: Sealed, desk: Office, who: Body) -> None:
        first, _copy = world.handed_in(found, who)
        second, _copy = world.handed_in(found, people.body(desk))
        one, other = first.sealed_latest, second.sealed_latest
        assert one is not None
        assert other is not None
        swap_files(one, other)
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
        assert OpeningRecord.objects.get().failed == 2
        assert set(SealedVersion.objects.values_list("refusal", flat=True)) == {"damaged"}

    def test_a_header_that_was_changed_over_together_with_its_files_does_not_open_under_another_name(self, found: Sealed, desk: Office, who: Body) -> None:
        """Header and files fit each other; they are not this organisation's. Nor does a kept copy restore what is another's."""
        first, copy = world.handed_in(found, who)
        second, _copy = world.handed_in(found, people.body(desk))
        one, other = first.sealed_latest, second.sealed_latest
        assert one is not None
        assert other is not None
        SealedVersion.objects.filter(pk=one.pk).update(bid=second, number=2)
        SealedVersion.objects.filter(pk=other.pk).update(bid=first)
        found = world.closed(found)
        with clock.at(closing(found)):
            found.open()
            assert OpeningRecord.objects.get().failed == 2
            assert set(Bid.objects.values_list("seal_refusal", flat=True)) == {"other_bid"}
            with pytest.raises(Invalid, match="另一份投标"):
                sealing.restore(Bid.objects.get(pk=second.pk), copy, by=who.signatory)

    def test_while_the_virus_scanner_is_away_nothing_is_opened_and_no_attachment_is_lost(self, found: Sealed, who: Body, monkeypatch: Any) -> None:
        bid, _copy = world.handed_in(found, who, attachments={f"{found.call.rules.attachments[0].code}/方案.pdf": plain.pdf()})
        found = world.closed(found)

        def away(*_a: Any, **_more: Any) -> None:
            raise FileRefused("unscanned", "“%(name)s”暂时无法进行病毒检查。", name="章程.pdf")

        with clock.at(closing(found)):
            with monkeypatch.context() as dead:
                dead.setattr("bidding.sealed_writing.take", away)
                with pytest.raises(Invalid, match="病毒检查程序没有应答"), transaction.atomic():
                    found.open()
            assert found.fresh().state == "ready"
            assert not OpeningRecord.objects.exists()
            assert found.open().state == "opened"
        opened = Bid.objects.get(pk=bid.pk)
        assert opened.attachments.exists()
        assert not opened.seal_refusal

    def test_a_file_that_could_not_be_taken_is_told_in_the_bids_history(self, found: Sealed, who: Body, monkeypatch: Any) -> None:
        """An infected or disguised file inside a sealed bid does not vanish in silence: the bidder and the desk read which and why."""
        bid, _copy = world.handed_in(found, who, attachments={f"{found.call.rules.attachments[0].code}/方案.pdf": plain.pdf()})
        found = world.closed(found)

        def infected(*_a: Any, **_more: Any) -> None:
            raise FileRefused("virus", "“%(name)s”含有病毒（%(virus)s），没有保存。", name="章程.pdf", virus="Test")

        monkeypatch.setattr("bidding.sealed_writing.take", infected)
        with clock.at(closing(found)):
            found.open()
        entry = next(e for e in ledger.history(Bid.objects.get(pk=bid.pk).subject) if e.event == "bid.unseal")
        assert entry.public["not_taken"] >= 1
        assert "含有病毒" in str((entry.private or {})["note"])

    def test_an_opening_that_was_cut_off_has_opened_nothing_and_is_done_again(self, found: Sealed, desk: Office, who: Body, monkeypatch: Any) -> None:
        world.handed_in(found, who)
        world.handed_in(found, people.body(desk))
        found = world.closed(found)
        with clock.at(closing(found)):
            real = openings.recorded
            monkeypatch.setattr(openings, "recorded", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt), transaction.atomic():
                found.open()
            assert found.fresh().state == "ready"
            assert set(Bid.objects.values_list("title", "opened_at")) == {("密封投标", None)}
            monkeypatch.setattr(openings, "recorded", real)
            assert found.open().state == "opened"
        assert OpeningRecord.objects.get().opened == 2


def ledger_clock() -> Any:
    from grants.workflow.door import SYSTEM

    return SYSTEM


def closing(found: Sealed) -> Any:
    return found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)


def dump() -> str:
    """Every row of every table, as a backup holds it."""
    out = io.StringIO()
    call_command("dumpdata", stdout=out, verbosity=0)
    return json.dumps(json.loads(out.getvalue()), ensure_ascii=False) + raw()


def raw() -> str:
    """Tables without a model (history of migrations and the like) are asked too; bytes as text where they are text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [bytes(v).decode("utf-8", "replace") if isinstance(v, (bytes, memoryview)) else str(v) for row in cursor.fetchall() for v in row]
    return "\n".join(found)


def kept() -> set[Path]:
    """What other tests of this process have left in the data folder."""
    return {p for p in Path(settings.GONGCHUANG_HOME).rglob("*") if p.is_file()}


def files(before: set[Path]) -> str:
    """Everything that has come into the data folder since, read as text."""
    fresh = kept() - before
    assert fresh
    return "\n".join(p.read_bytes().decode("utf-8", "replace") for p in fresh)


def swap_files(one: SealedVersion, other: SealedVersion) -> None:
    """As somebody with the database does: the sealed files of two bids change places."""
    mine, theirs = one.files.get(name="manifest"), other.files.get(name="manifest")
    mine.file_id, theirs.file_id = theirs.file_id, mine.file_id
    mine.save()
    theirs.save()


class TestPackage:
    def test_the_package_holds_headers_and_the_opening_record_checks_them_and_the_officers_open_the_ciphertext_again(
        self, found: Sealed, desk: Office, who: Body, tmp_path: Path
    ) -> None:
        """A bare verify.py passes; a record that leaves a bid out or names another version does not; `seal open` reads the same bid out of the bag."""
        bid, _copy = world.handed_in(found, who)
        with clock.at(plain.before_closing(found.call)):
            world.again(found, bid, who, world.fields("第二稿"))
        found = world.closed(found)
        with clock.at(closing(found)):
            with pytest.raises(NotNow, match="开标之前"):
                packed(found, "auditor")
            found.open()
            drain()
            bag = unpacked(found, "auditor", tmp_path / "plain")
            whole = unpacked(found, "originals", tmp_path / "whole", reason="信访件二〇二六第十二号，核对申报材料原件")
        assert not list(bag.rglob("*.age"))
        check = packages.program(bag)
        assert packages.said(check, bag) == ""
        assert packages.said(check, whole) == ""
        keys = {o.name: o.secret for o in found.officers[:2]}
        key = folder.read_key(whole / "data/sealing/keys")
        opened = {name: envelope.opened(b.header, b.files, ceremony.recover(key, keys)) for name, b in folder.bids(whole / "data/sealing/bids")}
        titles = [dict(map(tuple, content.bid["fields"]))["about-title"] for _name, content in sorted(opened.items())]
        assert titles == ["银龄守望", "第二稿"]
        record = bag / "data/sealing/opening.json"
        told = json.loads(record.read_text("utf-8"))
        first = SealedVersion.objects.get(number=1)
        told["bids"][0] |= {"header": first.hash, "version": 1}
        record.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        packages.rewrap(bag)
        assert "不是最后一次提交的版本" in packages.said(check, bag)


def packed(found: Sealed, kind: str, **more: Any) -> Any:
    return packages.packed(found, kind, **more)  # type: ignore[arg-type]


def unpacked(found: Sealed, kind: str, place: Path, **more: Any) -> Path:
    return packages.unpacked(found, kind, place, **more)  # type: ignore[arg-type]


def test_a_receipt_is_given_once_for_a_version_also_when_it_was_printed_after_the_opening(found: Sealed, who: Body) -> None:
    """The opened version carries the number under which it was sealed."""
    from bidding.tasks import acknowledge

    bid, _copy = world.handed_in(found, who)
    found = world.closed(found)
    with clock.at(closing(found)):
        found.open()
        opened = Bid.objects.get(pk=bid.pk).latest
        assert opened is not None
        assert opened.receipt_id is None
        job = type("Job", (), {"object_id": bid.pk, "key": "again"})()
        acknowledge(job)()  # type: ignore[arg-type, misc]
        opened.refresh_from_db()
        assert opened.receipt_id is None, "its receipt is the sealed version's"
        drain()
    assert SealedVersion.objects.get().receipt_id is not None
