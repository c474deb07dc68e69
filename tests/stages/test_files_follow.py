"""附件后补: what was declared in time by its hash may follow within the published hours, and nothing else may."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from bidding import services
from bidding.completeness import asked_attachments, problems
from bidding.models import Bid, DeclaredFile
from bidding.services import receipts
from bidding.tasks import receipt_context
from grants import clock, ledger
from grants.calls.models import Call
from grants.calls.rulebook.deadline import policy
from grants.calls.rulebook.toml import from_data
from grants.documents.inspection import FileRefused
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding, calls, people
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db
CONTENT = bidding.pdf("很大的一份章程")
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Case:
    """An open call whose rules let files follow for six hours, and a bid that lacks one required attachment."""

    def __init__(self) -> None:
        plain = calls.rules("YX-2026-02").plain()
        plain["timetable"]["files_follow_hours"] = 6
        self.desk = people.office()
        self.body = people.body(self.desk)
        self.call: Call = calls.opened(self.desk, from_data(plain))
        assert self.call.closes_at is not None
        self.closes: datetime = self.call.closes_at
        with clock.at(bidding.opens(self.call)):
            bid = bidding.filled(self.call, self.body)
            self.asked = next(a for a in asked_attachments(bid) if a.required and not a.expires)
            for row in bid.attachments.filter(code=self.asked.code):
                services.detach(row, by=self.body.signatory)
        self.bid: Bid = self.fresh(bid)

    def fresh(self, bid: Bid | None = None) -> Bid:
        return Bid.objects.select_related(*Bid.door_select).get(pk=(bid or self.bid).pk)

    def declared(self, **more: Any) -> DeclaredFile:
        given = {"code": self.asked.code, "name": "章程.pdf", "size": len(CONTENT), "sha256": DIGEST, **more}
        return services.declare(self.bid, by=self.body.signatory, **given)

    def handed_in(self) -> DeclaredFile:
        with clock.at(self.closes - timedelta(minutes=1)):
            row = self.declared()
            services.submit(self.fresh(), by=self.body.signatory, declarations=bidding.pledges(self.call))
        return row


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_declared_file_counts_as_given_and_follows_after_the_deadline() -> None:
    """Complete with the declaration; frozen, on the receipt and in the log by its hash; readable only when it has come."""
    case = Case()
    with clock.at(case.closes - timedelta(minutes=1)):
        assert any(p.field == case.asked.code for p in problems(case.bid))
    row = case.handed_in()
    version = case.fresh().latest
    assert version is not None
    assert DIGEST in version.files().values() and not version.keeps(DIGEST)
    assert ("章程.pdf（声明后补）", len(CONTENT), DIGEST) in receipt_context(receipts.of_bid(case.bid)[0])["files"]
    case.call = calls.closed(case.call)
    file = reverse("desk:file", args=["bid", case.bid.pk, DIGEST])
    with clock.at(case.closes + timedelta(hours=5)):
        assert as_(case.body.signatory).get(file).status_code == 404
        services.deliver(row, CONTENT, by=case.body.signatory)
        assert as_(case.desk.officer).get(file).status_code == 200
        refused(NotNow, "delivered", services.deliver, row, CONTENT, by=case.body.signatory)
    assert version.keeps(DIGEST)
    last = ledger.history(case.bid.subject)[-1]
    assert (last.verb, last.files) == ("file_followed", {case.asked.code: DIGEST})


def test_another_file_a_late_file_and_a_strangers_file_do_not_follow() -> None:
    """One byte more, the second in which the hours end, and a person of another organisation."""
    case = Case()
    row, stranger = case.handed_in(), people.body(case.desk)
    calls.closed(case.call)
    with clock.at(case.closes + timedelta(hours=1)):
        refused(Invalid, "declared_file", services.deliver, row, CONTENT + b" ", by=case.body.signatory)
        refused(NotYou, "may_write_bids", services.deliver, row, CONTENT, by=stranger.signatory)
    with clock.at(case.closes + timedelta(hours=6)):
        refused(NotNow, "files_follow", services.deliver, row, CONTENT, by=case.body.signatory)
    row.refresh_from_db()
    assert row.delivered_at is None


def test_admission_waits_for_the_file_and_says_what_to_do_when_it_never_came() -> None:
    """Within the hours: wait; afterwards: correct or refuse; delivered: admitted."""
    case = Case()
    row = case.handed_in()
    case.call = calls.closed(case.call)
    with clock.at(case.closes + timedelta(hours=1)):
        bidding.screened(case.fresh(), case.desk)
        refusal = refused(NotNow, "declared_files_here", perform, case.fresh(), "admit", by=case.desk.officer)
        assert "章程.pdf" in str(refusal) and "届时再审查" in str(refusal)
    with clock.at(case.closes + timedelta(hours=7)):
        refusal = refused(NotNow, "declared_files_here", perform, case.fresh(), "admit", by=case.desk.officer)
        assert "退回补正" in str(refusal)
    with clock.at(case.closes + timedelta(hours=2)):
        services.deliver(row, CONTENT, by=case.body.signatory)
        assert perform(case.fresh(), "admit", by=case.desk.officer).state == "admitted"


def test_a_declaration_is_refused_for_what_it_is() -> None:
    """Rules that know none, an unknown item, no hash, too large, a type that is not asked for, twice, and after the deadline."""
    case, plain = Case(), calls.rules("YX-2026-03")
    with clock.at(case.closes - timedelta(minutes=1)):
        refused(Invalid, "unknown_attachment", case.declared, code="nothing")
        refused(Invalid, "not_a_hash", case.declared, sha256="abc")
        refused(Invalid, "too_large", case.declared, size=10**9)
        with pytest.raises(FileRefused):
            case.declared(name="程序.exe")
        case.declared(sha256=DIGEST.upper())
        refused(Invalid, "same_file", case.declared)
    with clock.at(case.closes):
        refused(NotNow, "call_is_open", case.declared, sha256="0" * 64)
    other = calls.opened(case.desk, plain)
    group = people.group(case.desk, case.body)
    with clock.at(bidding.opens(other)):
        bid = bidding.started(other, group)
        refused(Invalid, "files_follow", services.declare, bid, "x", "a.pdf", 1, DIGEST, by=group.signatory)
        assert as_(group.signatory).get(reverse("bidding:following", args=[bid.pk])).status_code == 404


def test_knowing_the_hash_of_anothers_file_opens_nothing() -> None:
    """Declaring the SHA-256 of a file that another organisation uploaded gives no access to it."""
    case = Case()
    other = people.body(case.desk)
    with clock.at(bidding.opens(case.call)):
        theirs = bidding.filled(case.call, other)
        secret = services.attach(theirs, case.asked.code, bidding.pdf("别家的"), by=other.signatory, name="别家的.pdf")
    with clock.at(case.closes - timedelta(minutes=1)):
        case.declared(sha256=secret.file_id, size=secret.file.size)
        services.submit(case.fresh(), by=case.body.signatory, declarations=bidding.pledges(case.call))
        assert as_(case.body.signatory).get(reverse("desk:file", args=["bid", case.bid.pk, secret.file_id])).status_code == 404


def test_the_page_declares_delivers_and_keeps_what_was_typed() -> None:
    """By hand without a script: a wrong hash stays in the form; then declared, submitted, delivered after the deadline on the same page."""
    case = Case()
    client, url = as_(case.body.signatory), reverse("bidding:following", args=[case.bid.pk])
    typed = {"act": "declare", "code": case.asked.code, "name": "章程.pdf", "size": len(CONTENT), "sha256": "123"}
    with clock.at(case.closes - timedelta(minutes=1)):
        wrong = client.post(url, typed)
        assert wrong.status_code == 422 and wrong.context["form"].errors["sha256"] and 'value="123"' in wrong.content.decode()
        assert "已声明" in client.post(url, {**typed, "sha256": DIGEST}, follow=True).content.decode()
        services.submit(case.fresh(), by=case.body.signatory, declarations=bidding.pledges(case.call))
        assert url in client.get(reverse("bidding:submitted", args=[case.bid.pk])).content.decode()
    calls.closed(case.call)
    row = DeclaredFile.objects.get()
    with clock.at(case.closes + timedelta(hours=1)):
        assert url in client.get(reverse("desk:object", args=["bid", case.bid.pk])).content.decode()
        assert client.post(url, {"act": "deliver", "row": row.pk}).status_code == 422
        sent = client.post(url, {"act": "deliver", "row": row.pk, "file": SimpleUploadedFile("x.pdf", CONTENT)}, follow=True)
        assert "与声明一致" in sent.content.decode() and "补交" in sent.content.decode()
        assert as_(case.desk.officer).get(url).status_code == 404


def test_the_policy_says_it() -> None:
    """On the call's page and on the receipt, with the hours."""
    case = Case()
    assert "截止后 6 小时内补交" in policy(case.call.rules).grace
    assert "补交" not in policy(calls.rules("YX-2026-02")).grace
