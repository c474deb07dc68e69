"""Ballots: two readers for two kinds of comment, sealed until the whole panel is in, opened once and checked against the ledger."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock, ledger, vault
from grants.calls.rulebook.toml import from_data
from grants.vault import keys
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow
from review import opening, sealing, services
from review.ballots import own_criteria
from review.feedback import words_to_bidders
from review.models import Mark, Panel, Review
from review.panels import deviating
from tests.world import people, shared
from tests.world import review as world
from tests.world.crawl import read_all, walk
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
TO_BIDDER, TO_PANEL = "哨兵致申报方甲", "哨兵致评审组乙"


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two admitted bids and eleven experts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged(n=2)


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Convened, assigned and started, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.started(judged.call, judged.desk.officer)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def worded(review: Review, *, submit: bool = True) -> Review:
    """A whole ballot whose first criterion carries a word for each reader."""
    user = review.expert.user
    review = services.accept(review, by=user, pledge=True)
    criteria = own_criteria(review)
    marks = {c.code: c.top * 4 / 5 for c in criteria}
    services.save_marks(review, marks, by=user, comments={criteria[0].code: (TO_BIDDER, TO_PANEL)})
    return services.submit(review, by=user) if submit else review


# --- two readers ----------------------------------------------------------------------------------------------------------------


def test_a_bidder_is_given_only_the_words_written_to_the_bidder_and_only_after_the_opening(judged: Judged, panel: Panel) -> None:
    with clock.at(world.after(judged.call, 5)):
        review = worded(world.review_of(panel, judged.bids[0]))
        assert words_to_bidders(judged.bids) == {bid.pk: [] for bid in judged.bids}
        world.locked(panel, judged.desk.officer)
    mine, theirs = (words_to_bidders(judged.bids)[bid.pk] for bid in judged.bids)
    assert [w.text for w in mine if w.expert == review.expert.code] == [TO_BIDDER]
    assert all(w.text != TO_PANEL for w in mine + theirs)
    assert TO_BIDDER not in {w.text for w in theirs}, "another bid's words"


def test_a_ballot_that_was_voided_says_nothing_to_the_bidder(judged: Judged, panel: Panel) -> None:
    with clock.at(world.after(judged.call, 5)):
        gone = worded(world.review_of(panel, judged.bids[0]))
        perform(gone, "void", by=judged.desk.officer, reason="迟报利害关系")
        effects.drain()
        world.locked(panel, judged.desk.officer)
    assert TO_BIDDER not in {w.text for w in words_to_bidders(judged.bids)[judged.bids[0].pk]}


def test_no_page_of_a_bidder_shows_a_word_written_to_the_panel(judged: Judged, panel: Panel) -> None:
    """From the first ballot to the issued report, on everything the signatory of that bid reaches."""
    signatory = judged.bodies[0].signatory
    with clock.at(world.after(judged.call, 5)):
        worded(world.review_of(panel, judged.bids[0]))
        before = list(walk(signatory))
        world.concluded(world.locked(panel, judged.desk.officer), judged.desk.officer)
    with clock.at(world.after(judged.call, 12)):
        after = list(walk(signatory))
    assert len(after) > 10
    assert not [page.path for page in before if TO_BIDDER in page.html]
    assert not [page.path for page in before + after if TO_PANEL in page.html]


def test_the_grid_says_how_many_words_are_written_to_whom(judged: Judged, panel: Panel) -> None:
    with clock.at(world.after(judged.call, 5)):
        review = worded(world.review_of(panel, judged.bids[0]), submit=False)
        page = of(review.expert.user).get(reverse("review:grid")).content.decode()
        assert "意见 1 条，仅评审组 1 条" in page
        sheet = of(review.expert.user).get(reverse("review:score", args=[review.pk])).content.decode()
    assert "会随结果反馈给申报方" in sheet
    assert "申报方看不到" in sheet


# --- sealed until the whole panel is in -----------------------------------------------------------------------------------------

SENTINEL_MARK = "13.37"
MARKED = re.compile(r"(?<![0-9:.])13\.37(?![0-9])")  # not the seconds of some moment


def dump() -> str:
    """Every column of every table as text, binary columns as latin-1 and as hex: what somebody with a copy of the database reads."""
    said: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            said += [_plain(cell) for row in cursor.fetchall() for cell in row]
    return "\n".join(said)


def _plain(cell: Any) -> str:
    if isinstance(cell, bytes | memoryview):
        body = bytes(cell)
        return f"{body.decode('utf-8', 'replace')} {body.decode('latin-1')}"
    return str(cell)


def secret(review: Review, *, submit: bool = True) -> Review:
    """A whole ballot with sentinels: a mark, two comments, a private note; typed (draft), saved and handed in."""
    user = review.expert.user
    review = services.accept(review, by=user, pledge=True)
    criteria = [c for c in own_criteria(review) if c.top > 14]
    typed = {f"mark_{criteria[0].code}": SENTINEL_MARK, f"comment_{criteria[0].code}": TO_BIDDER, "note": "哨兵笔记丙"}
    services.keep_draft(review, typed, base=None, by=user)
    marks = {c.code: "1" for c in own_criteria(review)} | {criteria[0].code: SENTINEL_MARK}
    services.save_marks(review, marks, by=user, comments={criteria[0].code: (TO_BIDDER, TO_PANEL)})
    return services.submit(review, by=user) if submit else review


def test_a_copy_of_the_database_shows_no_mark_no_word_and_no_salt_of_an_unopened_ballot(judged: Judged, panel: Panel) -> None:
    """Typed, saved, handed in, taken back, explained: nothing stands in the clear anywhere. After the opening the same search finds it."""
    with clock.at(world.after(judged.call, 5)):
        review = secret(world.review_of(panel, judged.bids[0]))
        salt = sealing.unsealed(Review.objects.select_related("panel").get(pk=review.pk)).salt
        perform(review, "explain", by=review.expert.user, reason="哨兵理由丁")
        before = dump()
        assert not MARKED.search(before)
        for word in (TO_BIDDER, TO_PANEL, "哨兵", salt, bytes.fromhex(salt).decode("latin-1")):
            assert word not in before, word
        assert not Mark.objects.filter(review__panel=panel).exists()
        world.all_scored(panel)
        for odd in owing(panel):
            services.explain_deviation(odd, "尺度较严", by=odd.expert.user)
        services.lock(panel, by=judged.desk.officer)
    after = dump()
    assert MARKED.search(after)
    assert all(word in after for word in (TO_BIDDER, TO_PANEL, salt))
    assert "哨兵笔记丙" not in after, "private notes are never opened"


def owing(panel: Panel) -> list[Review]:
    return [r for r in deviating(panel) if not r.reason]


def test_the_envelope_has_the_same_size_whatever_is_on_a_short_ballot(judged: Judged, panel: Panel) -> None:
    sizes = set()
    with clock.at(world.after(judged.call, 5)):
        for member, mark in zip(panel.members.filter(alternate=False, seat="sector")[:2], ("0", "13.37"), strict=True):
            review = world.review_of(panel, judged.bids[0], member.expert.code)
            review = services.accept(review, by=member.expert.user, pledge=True)
            sealed = services.save_marks(review, {"need": mark}, by=member.expert.user).sealed
            assert sealed is not None
            sizes.add(len(bytes(sealed)))
    assert len(sizes) == 1


def test_the_ledger_names_the_ballot_so_that_anybody_can_check_it_after_the_opening(judged: Judged, panel: Panel) -> None:
    """The commitment is HMAC-SHA256 over the published salt and the canonical ballot, recomputed here with the standard library alone."""
    world.locked(panel, judged.desk.officer)
    evidence = opening.recheck(panel)
    assert len(evidence) == panel.reviews.filter(state="submitted").count()
    for row in evidence:
        text = json.dumps(row["points"], sort_keys=True, separators=(",", ":"))
        assert hmac.new(bytes.fromhex(row["salt"]), text.encode(), "sha256").hexdigest() == row["commitment"]
        assert row["agrees"]
    assert len({row["salt"] for row in evidence}) == len(evidence)
    one = Mark.objects.filter(review__panel=panel).first()
    assert one is not None
    Mark.objects.filter(pk=one.pk).update(panel_comment="后来改的话")
    assert sum(not row["agrees"] for row in opening.recheck(panel)) == 1, "a word changed after the opening is found"
    Mark.objects.filter(review__panel=panel, criterion="need").update(value="0.01")
    assert not any(row["agrees"] for row in opening.recheck(panel)), "a mark changed after the opening is found"


def test_a_ballot_altered_in_the_database_blocks_the_opening_is_recorded_and_is_voided_not_counted(
    judged: Judged, panel: Panel
) -> None:
    """Flipped bit, envelope of another ballot, an older envelope of the same ballot: each is found, named, and written into the ledger."""
    officer = judged.desk.officer
    with clock.at(world.after(judged.call, 5)):
        first = world.scored(world.review_of(panel, judged.bids[0]))
        old = bytes(Review.objects.get(pk=first.pk).sealed or b"")
        perform(first, "reopen", by=first.expert.user)
        services.save_marks(first, {"need": "20"}, by=first.expert.user)
        services.submit(first, by=first.expert.user)
        world.all_scored(panel)
        good = bytes(Review.objects.get(pk=first.pk).sealed or b"")
        other = Review.objects.filter(panel=panel, state="submitted").exclude(pk=first.pk).first()
        assert other is not None
        for altered in (good[:-1] + bytes([good[-1] ^ 1]), bytes(other.sealed or b""), old, b"\x02short", b"{}"):
            Review.objects.filter(pk=first.pk).update(sealed=altered)
            refused(NotNow, "seals_are_whole", services.lock, panel, by=officer)
            assert deviating(panel) == []
        told = [e for e in ledger.history(panel.subject) if e.event == "panel.seal_broken"]
        assert len(told) == 5
        assert told[-1].public == {"reviews": [first.subject]}
        assert not panel.results.exists()
        Review.objects.filter(pk=first.pk).update(sealed=good)
        assert opening.broken(panel) == []
        Review.objects.filter(pk=first.pk).update(sealed=old)
        perform(Review.objects.get(pk=first.pk), "void", by=officer, reason="密封被改动，无法恢复")
        assert ledger.history(first.subject)[-1].public["seal"] == "broken"
        effects.drain()
        world.all_scored(panel)
        assert services.lock(panel, by=officer).state == "scored"
    assert Review.objects.get(pk=first.pk).opened_at is None


def test_a_voided_ballot_is_never_opened(judged: Judged, panel: Panel) -> None:
    with clock.at(world.after(judged.call, 5)):
        gone = secret(world.review_of(panel, judged.bids[0]))
        perform(gone, "void", by=judged.desk.officer, reason="迟报利害关系")
        effects.drain()
        world.locked(panel, judged.desk.officer)
    assert not Mark.objects.filter(review=gone).exists()
    assert TO_PANEL not in dump()


def test_without_the_master_key_nothing_opens_and_with_it_back_everything_does(
    judged: Judged, panel: Panel, settings: Any
) -> None:
    """Another key is not enough, an added newer key does not hinder."""
    review = world.scored(world.review_of(panel, judged.bids[0]))
    fresh = Review.objects.select_related("panel").get(pk=review.pk)
    right = base64.urlsafe_b64encode(keys.master_keys()[0]).decode()
    wrong = base64.urlsafe_b64encode(bytes(32)).decode()
    settings.VAULT_KEY = wrong
    with pytest.raises(vault.CannotOpen, match="主密钥"):
        fresh.held()
    settings.VAULT_KEY = f"{wrong},{right}"
    assert fresh.held()
    settings.VAULT_KEY, settings.GUARDED = "", True
    keys.path().rename(keys.path().with_suffix(".away"))
    try:
        with pytest.raises(vault.KeyMissing):
            fresh.held()
    finally:
        keys.path().with_suffix(".away").rename(keys.path())


# --- nobody learns anything before ------------------------------------------------------------------------------------------------

ROLES = ("officer", "approver", "auditor", "operator", "observer", "chair", "expert", "admin")


def somebody(role: str, judged: Judged, panel: Panel, *, writer: Any) -> Any:
    """A person of that role who did not write the ballot."""
    seats = panel.members.filter(alternate=False).exclude(expert__user=writer).select_related("expert__user")
    if role in ("officer", "approver", "auditor"):
        return getattr(judged.desk, role)
    if role in ("operator", "observer"):
        return people.appointed(role, judged.call)
    if role == "admin":
        return people.trio().audit
    found = next(m for m in seats if m.chair == (role == "chair") or role == "expert")
    return found.expert.user


@pytest.mark.parametrize("role", ROLES)
def test_before_the_opening_no_role_reaches_a_mark_a_word_or_a_sum_of_another_ballot(
    role: str, judged: Judged, panel: Panel
) -> None:
    """Every page and file reached by links, and the refused lock; one ballot short of all, so that means would exist if they could."""
    writers = panel.members.filter(alternate=False, chair=False, seat="sector").select_related("expert__user")
    writer = writers.order_by("-position").first()
    assert writer is not None
    with clock.at(world.after(judged.call, 5)):
        review = secret(world.review_of(panel, judged.bids[0], writer.expert.code))
        total = sum(m.value for m in world.sheet(review).values())
        last = world.review_of(panel, judged.bids[1], writer.expert.code)
        world.all_scored(panel, lambda r: Decimal("0.83"), but=[last])
        who = somebody(role, judged, panel, writer=writer.expert.user)
        client = of(who)
        start = [reverse(name) for name in ("review:panels", "review:mine")]
        start += [reverse("review:panel", args=[panel.pk]), reverse("desk:object", args=["panel", panel.pk])]
        start += [reverse("desk:object", args=["review", review.pk]), "/", "/site-map/"]
        pages = read_all(client, start)
        for seen in ("lock", "conclude"):
            answer = client.post(reverse("desk:step", args=["panel", panel.pk, seen]), {"seen_state": "scoring"})
            pages[seen] = answer.content.decode("utf-8", "replace")
        for word in (TO_BIDDER, TO_PANEL, SENTINEL_MARK):
            pages[f"search {word}"] = client.get(reverse("review:mine"), {"q": f"{word} "}).content.decode().replace(word, "")
    own = {f"{total:f}", f"{total.normalize():f}"}
    for url, body in pages.items():
        for word in (TO_BIDDER, TO_PANEL, "哨兵笔记丙"):
            assert word not in body, f"{word} at {url}"
        assert not MARKED.search(body), f"the mark at {url}"
        if role not in ("chair", "expert"):
            assert "83.00" not in body, f"a sum at {url}"
        assert not any(f">{t}<" in body for t in own if len(t) > 3), f"a total at {url}"
    assert client.get(reverse("review:ranking", args=[panel.pk])).status_code == 404


def test_a_page_costs_the_same_however_many_ballots_of_others_are_in(judged: Judged, panel: Panel) -> None:
    """The number of statements tells a watcher nothing of how far the others are."""
    me = panel.members.filter(alternate=False, seat="sector").select_related("expert__user").order_by("position").first()
    assert me is not None
    counts = []
    with clock.at(world.after(judged.call, 5)):
        mine = [services.accept(world.review_of(panel, b, me.expert.code), by=me.expert.user, pledge=True) for b in judged.bids]
        client = of(me.expert.user)
        for _turn in range(2):
            for url in (reverse("review:mine"), reverse("review:grid"), reverse("review:score", args=[mine[0].pk])):
                client.get(url)
                with CaptureQueriesContext(connection) as asked:
                    client.get(url)
                counts.append(len(asked))
            world.all_scored(panel, but=mine)
    assert counts[:3] == counts[3:]


# --- objective criteria ---------------------------------------------------------------------------------------------------------


def test_an_objective_criterion_is_entered_once_shown_to_every_expert_and_scored_by_none() -> None:
    """The secretariat's figure with its basis stands on the sheet; a mark for it is refused; what residents gave is not shown."""
    plain = world.rules(name="YX-2026-96", residents=20, mix={"experts": "80.00", "residents": "20.00"}).plain()
    sheet = plain["review"]["sheets"][0]["criteria"]
    objective = next(c for c in sheet if c["scorer"] == "expert")
    objective["scorer"] = "secretariat"
    found = world.judged(from_data(plain), n=1, sector=5, finance=1)
    panel = world.started(found.call, found.desk.officer)
    review = world.review_of(panel, found.bids[0])
    with clock.at(world.after(found.call, 5)):
        review = services.accept(review, by=review.expert.user, pledge=True)
        url = reverse("review:score", args=[review.pk])
        assert "尚未录入" in of(review.expert.user).get(url).content.decode()
        code = f"criterion:{objective['code']}"
        by = found.desk.officer
        services.enter_other_score(panel, found.bids[0], code, Decimal("7.50"), basis="登记证书核对表第 3 号", by=by)
        services.enter_other_score(panel, found.bids[0], "residents", Decimal("66.66"), basis="计票表", by=by)
        page = of(review.expert.user).get(url).content.decode()
        assert "登记证书核对表第 3 号" in page
        assert "66.66" not in page
        assert f'name="mark_{objective["code"]}"' not in page
        refused(Invalid, "marks", services.save_marks, review, {objective["code"]: "5"}, by=review.expert.user)
