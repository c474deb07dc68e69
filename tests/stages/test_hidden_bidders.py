"""隐名评审: a reviewer reaches no page, file, list, search or sentence that says who bids, until the rules let them know."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader, PdfWriter

from bidding import services as bids
from bidding.models import Bid
from grants import clock
from grants.calls.rulebook.lint import lint
from grants.calls.rulebook.toml import from_data
from grants.documents.anonymous import NotReadable, without_author
from grants.documents.files import open_file
from grants.workflow import effects
from grants.workflow.refusals import Invalid, NotNow
from review import services
from review.ballots import own_criteria
from review.blinding import BLACK, blackened, frozen
from review.models import Panel, Review
from review.queue import Filter, own
from tests.world import bidding, calls, people, shared
from tests.world import review as world
from tests.world.crawl import read_all
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db

NAME, PHONE, HEAD, ROAD, MEMBER = "澄空哨兵社会工作服务中心", "13800138642", "欧阳哨戊", "云溪区哨己路88号", "司徒哨庚"
MARKERS = (NAME, "澄空哨兵", PHONE, "138-0013-8642", HEAD, ROAD, MEMBER, "哨兵文件")
"""What says who the bidder is; also written into an answer, a file name and a file's properties by the bidder itself."""


def hiding_rules(until: str = "concluded") -> Any:
    """The district call, documents only, bidders hidden, with a nameless copy of its first paper for experts."""
    plain = world.rules(name="YX-2026-97" if until == "concluded" else "YX-2026-95", hiding={"until": until}).plain()
    first = plain["attachments"][0]
    first["visibility"] = "experts"
    copy = {**first, "code": "nameless", "name": "方案隐名版", "redacts": first["code"], "required": False, "expires": False,
            "required_for": [], "media_types": ["application/pdf"]}  # fmt: skip
    plain["attachments"].append(copy)
    return from_data(plain)


def paper(author: str = NAME) -> bytes:
    """A real PDF of one page whose properties name its author."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Author": author, "/Title": f"哨兵文件 {author}", "/Producer": "office"})
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def told(call: Any, who: Any) -> Bid:
    """A bid that gives itself away wherever an applicant can write, handed in."""
    bid = bidding.filled(call, who)
    section = next(s for s in call.rules.forms.application if any(f.kind == "longtext" for f in s.fields))
    field = next(f for f in section.fields if f.kind == "longtext")
    said = f"由{NAME}（简称澄空哨兵）负责，联系人{HEAD}，电话 138-0013-8642，{ROAD}。"
    bids.save_answers(bid, section.code, {**bidding.answers(section, call), field.code: said}, by=who.signatory)
    bids.save_team(bid, [{**m, "name": MEMBER} if i == 0 else m for i, m in enumerate(bidding.team(call))], by=who.signatory)
    bids.attach(bid, call.rules.attachments[0].code, paper(), by=who.signatory, name="哨兵文件原件.pdf")
    bids.attach(bid, "nameless", paper(), by=who.signatory, name="哨兵文件隐名.pdf")
    Bid.objects.filter(pk=bid.pk).update(title=f"{NAME}暖巢行动")
    return bids.submit(bid, by=who.signatory, declarations=bidding.pledges(call))


def hidden(until: str = "concluded") -> Judged:
    """One bid that gives itself away, admitted, and a pool."""
    desk = people.office()
    call = calls.opened(desk, hiding_rules(until))
    who = people.body(desk, name=NAME, phone=PHONE, legal_representative=HEAD, address=ROAD)
    with clock.at(bidding.opens(call)):
        people.checked(who, desk, 2024, 2025)
        bid = told(call, who)
    call = calls.closed(call)
    with clock.at(world.after(call, 1)):
        bid = bidding.admitted(Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk), desk)
    experts = {e.code: e for e in world.pool(desk)}
    effects.drain()
    return Judged(desk, call, [bid], experts, [who])


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    with shared.rows(django_db_blocker):
        yield hidden()


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


def clean(pages: dict[str, str]) -> None:
    found = [(url, word) for url, body in pages.items() for word in MARKERS if word in body or word in url]
    assert not found, found


def test_no_address_a_reviewer_reaches_says_who_bids(judged: Judged, panel: Panel) -> None:
    """Before the pledge, while scoring, handed in, and when the ranking waits for signatures; then the report tells."""
    first = world.review_of(panel, judged.bids[0])
    user = first.expert.user
    client = of(user)
    start = ["/", reverse("review:mine"), reverse("review:panels"), reverse("review:panel", args=[panel.pk])]
    start += [reverse("desk:object", args=["panel", panel.pk]), reverse("desk:object", args=["review", first.pk])]
    start += [reverse("review:grid"), reverse("review:workbook"), reverse("review:expert", args=[first.expert.pk])]
    with clock.at(world.after(judged.call, 5)):
        before = read_all(client, start)
        services.accept(first, by=user, pledge=True)
        sheet = reverse("review:score", args=[first.pk])
        during = read_all(client, [*start, sheet])
        assert any("方案隐名版" in body for body in during.values()), "the nameless copy is offered"
        assert BLACK in during[sheet]
        assert "■" in during[sheet]
        tried = {
            "bad mark": client.post(sheet, {"mark_need": "999", "do": "submit"}),
            "bad relation": client.post(reverse("review:expert", args=[first.expert.pk]), {"organisation": "没有的单位"}),
            "recuse": client.post(reverse("review:recuse", args=[first.pk]), {"reason": ""}),
        }  # fmt: skip
        clean({**before, **during, **{name: answer.content.decode() for name, answer in tried.items()}})
        for word in (NAME, "澄空"):
            assert "没有符合筛选的评审" in client.get(reverse("review:mine"), {"q": word}).content.decode()
        marks = {c.code: (c.top * Decimal("0.8")).quantize(Decimal("0.01")) for c in own_criteria(first)}
        services.save_marks(first, marks, by=user)
        services.submit(first, by=user)
        world.all_scored(panel)
        panel = services.lock(Panel.objects.get(pk=panel.pk), by=judged.desk.officer)
        locked = read_all(client, [*start, reverse("review:ranking", args=[panel.pk])])
        assert any("申报单位（评审期间不公开）" in body for body in locked.values())
        clean(locked)
    world.concluded(panel, judged.desk.officer)
    assert NAME in client.get(reverse("review:ranking", args=[panel.pk])).content.decode()


def test_a_reviewer_downloads_only_the_nameless_copy_without_name_or_properties(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel, judged.bids[0])
    with clock.at(world.after(judged.call, 5)):
        review = services.accept(review, by=review.expert.user, pledge=True)
        client = of(review.expert.user)
        files = {a["code"]: a["sha256"] for a in judged.bids[0].latest.content["attachments"]}  # type: ignore[union-attr]
        for code, sha256 in files.items():
            answer = client.get(reverse("desk:file", args=["review", review.pk, sha256]))
            assert (answer.status_code == 200) == (code == "nameless"), code
        kept = client.get(reverse("desk:file", args=["review", review.pk, files["nameless"]]))
    body = kept.getvalue()
    assert "哨兵" not in str(kept.headers)
    assert NAME.encode("utf-16-be") not in body
    assert not (PdfReader(io.BytesIO(body)).metadata or {}).get("/Author")
    with open_file(files["nameless"]) as kept_file:
        assert kept_file.read() == body, "cleaned when it was handed in: the frozen hash is that of what reviewers read"


def test_a_search_finds_by_what_is_shown_and_never_by_the_name_that_is_not(judged: Judged, panel: Panel) -> None:
    """Otherwise one search would confirm who bids."""
    review = world.review_of(panel, judged.bids[0])
    found = {text: [row.pk for row in Filter(text=text).rows(review.expert.user)] for text in (*MARKERS, "澄空", "暖巢", judged.bids[0].number)}
    assert found == {**{word: [] for word in (*MARKERS, "澄空")}, "暖巢": [review.pk], judged.bids[0].number: [review.pk]}


def test_the_rows_themselves_carry_no_bidder(judged: Judged, panel: Panel) -> None:
    """Not the template but the selector: organisation, sponsor, people, attachments and words are gone from what a query returns."""
    review = world.review_of(panel, judged.bids[0])
    row = own(review.expert.user).get(pk=review.pk)
    assert (row.bid.title, row.bid.number) == (f"{BLACK}暖巢行动", judged.bids[0].number)
    assert NAME not in f"{row.bid.organisation} {row.bid.organisation.phone} {row.bid.sponsor}"
    text = str(frozen(row.bid, row.bid.latest))
    assert not [word for word in MARKERS if word in text]
    assert "organisation" not in frozen(row.bid, row.bid.latest)
    plain = Review.objects.select_related("bid__organisation").get(pk=review.pk)
    assert plain.bid.organisation.name == NAME, "the organiser's rows are whole"


def test_a_conflict_found_late_is_not_explained_to_a_reviewer_who_must_not_know(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel, judged.bids[0])
    services.add_relation(
        review.expert,
        judged.bodies[0].organisation,
        "mentor",
        by=judged.desk.officer,
        agency=judged.desk.agency,
        source="computed",
    )
    with clock.at(world.after(judged.call, 5)):
        why = refused(NotNow, "no_conflict", services.accept, review, by=review.expert.user, pledge=True)
        page = of(review.expert.user).post(reverse("review:review", args=[review.pk]), {"do": "accept", "pledge": "yes"})
    assert "隐名评审期间不说明" in str(why)
    clean({"page": page.content.decode(), "why": str(why)})


def test_hidden_until_the_lock_means_the_ranking_tells() -> None:
    early = hidden("locked")
    panel = world.locked(world.started(early.call, early.desk.officer), early.desk.officer)
    member = panel.members.filter(alternate=False).select_related("expert__user").first()
    assert member is not None
    assert NAME in of(member.expert.user).get(reverse("review:ranking", args=[panel.pk])).content.decode()


def test_a_reviewer_declares_a_relation_by_typing_a_name_and_is_shown_no_list(judged: Judged, panel: Panel) -> None:
    expert = world.review_of(panel, judged.bids[0]).expert
    other = people.body(judged.desk, name="邻县百花艺术团")
    client, url = of(expert.user), reverse("review:expert", args=[expert.pk])
    body = client.get(url).content.decode()
    assert "<option" not in body.split('name="organisation"')[1].split("</div>")[0]
    sent = {"organisation": "邻县百花艺术团", "kind": "mentor"}
    assert client.post(url, sent).status_code == 302
    assert expert.relations.get().organisation == other.organisation
    assert "没有登记过这个名称" in client.post(url, {**sent, "organisation": "查无此社"}).content.decode()


# --- pieces ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"由{NAME}承办", f"由{BLACK}承办"),
        ("电话138 0013 8642", f"电话{BLACK}"),
        ("138-0013-8642、13800138642", f"{BLACK}、{BLACK}"),
        (["澄空哨兵", {"a": PHONE}], [BLACK, {"a": BLACK}]),
        (12, 12),
        ("与申报单位无关的话", "与申报单位无关的话"),
    ],
)
def test_words_of_the_bidder_are_blackened_at_any_depth(text: Any, shown: Any) -> None:
    assert blackened(text, [NAME, "澄空哨兵", PHONE, "x", ""]) == shown


def test_a_file_that_cannot_be_taken_apart_is_refused_as_nameless_copy(judged: Judged) -> None:
    with pytest.raises(NotReadable):
        without_author(b"%PDF-1.4 broken")
    desk = judged.desk
    call = calls.opened(desk, from_data({**hiding_rules().plain(), "code": "YX-2026-98"}))
    with clock.at(bidding.opens(call)):
        bid = bidding.started(call, judged.bodies[0])
        writer = PdfWriter()
        writer.add_blank_page(100, 100)
        writer.encrypt("geheim")
        stream = io.BytesIO()
        writer.write(stream)
        refused(
            Invalid, "nameless_copy", bids.attach, bid, "nameless", stream.getvalue(), by=judged.bodies[0].signatory, name="a.pdf"
        )
        assert not bid.attachments.filter(code="nameless").exists()


def test_the_linter_warns_where_identity_would_show_or_reviewers_would_see_nothing() -> None:
    rules = hiding_rules()
    found = [p for p in lint(rules) if p.code == "L130"]
    assert found, "questions of the preset ask for names and telephones"
    assert all(str(p.severity) != "error" for p in found)
    plain = rules.plain()
    plain["attachments"] = [a for a in plain["attachments"] if a["code"] != "nameless"]
    keys = {p.key for p in lint(from_data(plain)) if p.code == "L130"}
    assert f"attachments[{plain['attachments'][0]['code']}]" in keys
    wrong = rules.plain()
    wrong["attachments"][-1] |= {"redacts": "nothing", "visibility": "staff", "media_types": ["image/png"]}
    assert sum(str(p.severity) == "error" for p in lint(from_data(wrong)) if p.code == "L130") == 3
    open_call = {**rules.plain()}
    open_call["review"] = {k: v for k, v in open_call["review"].items() if k != "hiding"}
    assert not [p for p in lint(from_data(open_call)) if p.code == "L130"]
