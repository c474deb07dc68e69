"""The expert's desk: invitation, draft, queue, grid, workbook — and that an expert learns nothing of anybody else before the lock."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from grants import clock
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services, workbook
from review.ballots import own_criteria
from review.merging import merge
from review.models import Draft, Panel, PanelMember, Review
from review.queue import Filter, beginning, following, place_of
from review.reading import masked
from tests.world import review as world
from tests.world import shared
from tests.world.crawl import read_all
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three admitted bids and eleven experts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged()


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Convened, assigned and started, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.started(judged.call, judged.desk.officer)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


@pytest.fixture(autouse=True)
def _after_closing(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 4)):
        yield


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def opened(panel: Panel, code: str = "") -> Review:
    review = world.review_of(panel, code=code)
    return services.accept(review, by=review.expert.user, pledge=True)


def sector(panel: Panel) -> list[PanelMember]:
    return list(panel.members.filter(alternate=False, seat="sector").select_related("expert__user").order_by("position"))


def autosave(review: Review, base: int, client: Client | None = None, **fields: str) -> Any:
    client = client or of(review.expert.user)
    body = json.dumps({"base": str(base), "fields": fields})
    return client.post(reverse("review:draft", args=[review.pk]), body, content_type="application/json")


# --- invitation ---------------------------------------------------------------------------------------------------------------


def test_an_invitation_says_dates_load_and_fee_and_is_answered_on_its_page(judged: Judged, panel: Panel) -> None:
    seat = sector(panel)[0]
    services.invite(
        panel, by=judged.desk.officer, fee_note="每人每天 500 元", meets_at=world.after(judged.call, 8), meets_where="区社创园"
    )
    effects.drain()
    letter = Message.objects.get(to=seat.expert.user, template="review/invitation")
    client = of(seat.expert.user)
    page = client.get(letter.link)
    for words in ("每人每天 500 元", "区社创园", "分配给您 3 份，本组共 3 份", judged.call.title):
        assert words in text(page)
    assert letter.link in text(client.get(reverse("review:mine")))
    assert client.post(letter.link, {"do": "join"}).status_code == 302
    seat.refresh_from_db()
    assert seat.joined_at == clock.now()
    assert client.post(letter.link, {"do": "join"}).status_code == 409
    assert letter.link not in text(client.get(reverse("review:mine")))


def test_declining_needs_a_reason_and_the_next_alternate_of_the_same_seat_takes_every_bid(judged: Judged, panel: Panel) -> None:
    """The chair declines: the chair passes on, the reviews are voided and filled, the organiser is told, the newcomer is invited."""
    services.invite(panel, by=judged.desk.officer)
    chair = panel.members.get(chair=True)
    heir = panel.members.filter(alternate=True, seat=chair.seat).order_by("position").first()
    assert heir is not None
    url, client = reverse("review:invitation", args=[panel.pk]), of(chair.expert.user)
    assert client.post(url, {"do": "decline", "reason": " "}).status_code == 422
    assert client.post(url, {"do": "decline", "reason": "出差"}).status_code == 302
    effects.drain()
    chair.refresh_from_db()
    heir.refresh_from_db()
    assert (chair.excused, chair.chair, heir.alternate) == (True, False, False)
    assert panel.members.get(chair=True).pk != chair.pk
    assert panel.reviews.filter(expert=chair.expert, state="voided").count() == 3
    assert panel.reviews.filter(expert=heir.expert, state="assigned").count() == 3
    told = Message.objects.get(to=panel.convened_by, template="review/declined")
    assert heir.expert.code in told.body
    assert "出差" not in told.body
    assert Message.objects.filter(to=heir.expert.user, template="review/invitation").count() == 1
    assert client.get(url).status_code == 404


def test_declining_before_anything_is_assigned_fills_the_seat_so_that_scoring_can_start(judged: Judged) -> None:
    panel = world.convened(judged.call, judged.desk.officer)
    gone = sector(panel)[1]
    services.decline(panel, "时间冲突", by=gone.expert.user)
    effects.drain()
    services.assign(panel, by=judged.desk.officer)
    assert perform(panel, "start", by=judged.desk.officer).state == "scoring"
    assert not panel.reviews.filter(expert=gone.expert).exists()


def test_without_an_alternate_of_that_seat_the_organiser_is_told(judged: Judged) -> None:
    panel = world.convened(judged.call, judged.desk.officer)
    panel.members.filter(alternate=True).delete()
    services.decline(panel, "时间冲突", by=sector(panel)[0].expert.user)
    effects.drain()
    assert "没有同一席位的专家可以接替" in Message.objects.get(to=panel.convened_by, template="review/declined").body


def test_whoever_has_handed_in_a_ballot_cannot_decline_and_a_stranger_has_no_invitation(judged: Judged, panel: Panel) -> None:
    review = world.scored(world.review_of(panel))
    refused(NotNow, "has_not_begun", services.decline, panel, "忙", by=review.expert.user)
    refused(NotYou, "a_member", services.join, panel, by=judged.desk.officer)
    waiting = panel.members.filter(alternate=True).first()
    assert waiting is not None
    for who in (judged.desk.officer, waiting.expert.user, judged.bodies[0].signatory):
        assert of(who).get(reverse("review:invitation", args=[panel.pk])).status_code == 404


def test_the_first_pledge_also_accepts_the_invitation(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    assert panel.members.get(expert=review.expert).joined_at is not None


# --- autosave -----------------------------------------------------------------------------------------------------------------


def test_autosave_keeps_right_and_wrong_text_and_notes_but_counts_nothing(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    answer = autosave(review, 0, mark_need="17", mark_design="99", comment_team="说得好", note="比 003 号弱")
    assert answer.json()["said"].startswith("已保存")
    assert world.sheet(review) == {}
    page = text(of(review.expert.user).get(reverse("review:score", args=[review.pk])))
    for words in ('value="17"', 'value="99"', "说得好", "比 003 号弱"):
        assert words in page


def test_two_windows_in_different_boxes_lose_nothing_and_in_the_same_box_are_told(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    autosave(review, 0, mark_need="10", comment_need="甲")
    other = autosave(review, 1, mark_need="10", comment_need="乙").json()
    assert other == {**other, "number": 2, "clashes": {}}
    mine = autosave(review, 1, mark_need="12", comment_need="甲").json()
    assert (mine["number"], mine["clashes"], mine["fields"]) == (3, {}, {"comment_need": "乙"})
    same = autosave(review, 1, comment_need="丙").json()
    assert same["clashes"] == {"comment_need": "乙"}
    last = Draft.objects.filter(review=review).latest("number")
    assert last.content == {"mark_need": "12", "comment_need": "乙"}
    assert last.aside == {"comment_need": "丙"}


def test_the_form_without_javascript_is_refused_once_when_another_window_changed_the_same_box(
    judged: Judged, panel: Panel
) -> None:
    review = opened(panel)
    autosave(review, 0, mark_need="10")
    autosave(review, 1, mark_need="11")
    client, url = of(review.expert.user), reverse("review:score", args=[review.pk])
    first = client.post(url, {"base": "1", "mark_need": "12", "do": "save"})
    assert first.status_code == 409
    assert "另一个窗口" in text(first)
    assert 'value="12"' in text(first)
    base = re.search(r'name="base" value="(\d+)"', text(first))
    assert base is not None
    assert client.post(url, {"base": base[1], "mark_need": "12", "do": "save"}).status_code == 302
    assert [m.value for m in world.sheet(review).values()] == [12]


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "content", "clashes"),
    [
        ({}, {"a": "1"}, {}, {"a": "1"}, {}),
        ({"a": "1"}, {"a": ""}, {"a": "1"}, {}, {}),
        ({"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}, {}),
        ({"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}, {}),
        ({"a": "1"}, {"a": "2"}, {"a": "3"}, {"a": "3"}, {"a": "3"}),
        ({"a": "1"}, {"a": "2"}, {}, {}, {"a": ""}),
        ({"b": "1"}, {"a": "2"}, {"b": "1"}, {"a": "2", "b": "1"}, {}),
    ],
)
def test_merging_field_by_field(base: Any, mine: Any, theirs: Any, content: Any, clashes: Any) -> None:
    """Mine alone, emptied, theirs alone, both alike, both differently, they emptied what I changed, a field I did not send."""
    merged = merge(base, mine, theirs)
    assert (merged.content, merged.clashes) == (content, clashes)


def test_autosave_is_refused_for_others_after_handing_in_and_for_nonsense(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    stranger = sector(panel)[-1].expert.user
    assert stranger != review.expert.user
    assert autosave(review, 0, of(stranger), mark_need="1").status_code == 404
    assert (
        of(review.expert.user).post(reverse("review:draft", args=[review.pk]), "[]", content_type="application/json").status_code
        == 422
    )
    assert autosave(review, 0, comment_need="长" * 4001).status_code == 422
    done = world.scored(world.review_of(panel, code=sector(panel)[-1].expert.code))
    assert autosave(done, 0, mark_need="1").status_code == 409
    assert all(d.content.get("mark_need") != "1" for d in Draft.objects.filter(review=done))


def test_a_draft_that_is_not_on_the_sheet_cannot_be_handed_in_behind_the_experts_back(judged: Judged, panel: Panel) -> None:
    """Saved 10, then typed 3: the generic step refuses; handing in from the sheet or the grid takes the 3 along."""
    review = opened(panel)
    marks = {c.code: "1" for c in own_criteria(review)}
    services.save_marks(review, marks, by=review.expert.user)
    autosave(review, 0, **{f"mark_{code}": "1" for code in marks} | {"mark_need": "3"})
    refused(NotNow, "draft_is_settled", services.submit, review, by=review.expert.user)
    of(review.expert.user).post(reverse("review:hand_in"))
    review.refresh_from_db()
    assert review.state == "submitted"
    assert world.sheet(review)["need"].value == 3


def test_an_emptied_box_is_no_mark_any_more(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    client, url = of(review.expert.user), reverse("review:score", args=[review.pk])
    client.post(url, {"mark_need": "9", "do": "save"})
    client.post(url, {"mark_need": "", "do": "save", "base": "1"})
    assert world.sheet(review) == {}


def test_full_width_figures_count_and_a_comma_is_refused(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    client, url = of(review.expert.user), reverse("review:score", args=[review.pk])
    assert client.post(url, {"mark_need": "１７。５", "do": "save"}).status_code == 302
    assert [m.value for m in world.sheet(review).values()] == [world.Decimal("17.5")]
    assert client.post(url, {"mark_need": "1,5", "do": "save", "base": "2"}).status_code == 422


# --- the queue ----------------------------------------------------------------------------------------------------------------


def test_next_goes_round_the_list_skipped_ones_come_last_and_filters_stay(judged: Judged, panel: Panel) -> None:
    member = sector(panel)[0]
    user, bids = member.expert.user, sorted(judged.bids, key=lambda b: b.number)
    begin = beginning(user, len(bids))
    first, second, third = (bids[(begin + n) % len(bids)] for n in range(3))
    chosen = Filter.of({"stage": "document", "state": "open", "panel": str(panel.pk), "x": "1"})
    found = following(chosen, user)
    assert found is not None
    assert found.bid == first
    client = of(user)
    skipped = client.post(reverse("review:skip", args=[found.pk]) + chosen.query)
    assert str(world.review_of(panel, second, member.expert.code).pk) in skipped["Location"]
    assert skipped["Location"].endswith(chosen.query)
    for bid in (second, third):
        world.scored(world.review_of(panel, bid, member.expert.code))
    assert str(found.pk) in client.get(reverse("review:next"))["Location"]


def test_what_others_handed_in_moves_nobodys_next(judged: Judged, panel: Panel) -> None:
    """The order an expert is led in must not tell how far the rest of the panel is."""
    first, second = sector(panel)[:2]
    before = [following(Filter(), first.expert.user, after=world.review_of(panel, b, first.expert.code).pk) for b in judged.bids]
    for bid in judged.bids[:2]:
        world.scored(world.review_of(panel, bid, second.expert.code))
        assert [following(Filter(), first.expert.user, after=world.review_of(panel, b, first.expert.code).pk) for b in judged.bids] == before


def test_experts_begin_all_over_the_list() -> None:
    """No bid is everybody's first or everybody's last: 400 experts over ten bids, each begun by 20 to 65 of them."""
    users = [SimpleNamespace(pk=pk) for pk in range(1, 401)]
    counts = Counter(beginning(user, 10) for user in users)  # type: ignore[arg-type]
    assert set(counts) == set(range(10))
    assert all(20 <= n <= 65 for n in counts.values())
    assert beginning(users[0], 0) == 0  # type: ignore[arg-type]


def test_the_place_in_the_queue_and_its_neighbours(judged: Judged, panel: Panel) -> None:
    member = sector(panel)[0]
    user = member.expert.user
    reviews = [world.review_of(panel, bid, member.expert.code) for bid in sorted(judged.bids, key=lambda b: b.number)]
    world.scored(reviews[0])
    place = place_of(reviews[1], Filter(), user)
    assert (place.at, place.total, place.done, place.before, place.after) == (2, 3, 1, reviews[0].pk, reviews[2].pk)
    assert "第 2 / 3 份" in text(of(user).get(reverse("review:review", args=[reviews[1].pk])))
    assert place_of(reviews[1], Filter(text="没有这个"), user).at == 0


def test_nonsense_in_the_filter_is_ignored(judged: Judged, panel: Panel) -> None:
    user = sector(panel)[0].expert.user
    page = of(user).get(reverse("review:mine"), {"panel": "-" * 36, "stage": "x", "state": "'", "q": "%_"})
    assert page.status_code == 200


def test_recusing_leaves_the_queue_tells_the_organiser_without_the_reason_and_calls_an_alternate(
    judged: Judged, panel: Panel
) -> None:
    review = opened(panel)
    url, client = reverse("review:recuse", args=[review.pk]), of(review.expert.user)
    assert client.post(url, {"reason": ""}).status_code == 422
    gone = client.post(url, {"reason": "负责人是我表弟"})
    assert gone.status_code == 302
    assert str(review.pk) not in gone["Location"]
    effects.drain()
    letter = Message.objects.get(to=panel.convened_by, template="review/recused")
    assert review.expert.code in letter.body
    assert "表弟" not in letter.body
    assert panel.reviews.filter(bid=review.bid, state="assigned").count() == 5
    assert not Filter().rows(review.expert.user, any_state=True).filter(pk=review.pk).exists()
    assert of(sector(panel)[-1].expert.user).get(url).status_code == 404


def test_single_keys_are_switched_off_on_the_server_and_the_script_is_not_loaded(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    client, page = of(review.expert.user), reverse("review:score", args=[review.pk])
    assert "review/keys.js" in text(client.get(page))
    away = client.post(reverse("review:shortcuts"), {"on": "no", "back": page})
    assert away["Location"] == page
    assert "review/keys.js" not in text(client.get(page))
    assert client.post(reverse("review:shortcuts"), {"on": "no", "back": "//elsewhere.example"})["Location"] == reverse(
        "review:mine"
    )


def test_personal_numbers_and_names_are_masked_in_what_an_expert_reads(judged: Judged, panel: Panel) -> None:
    assert masked("电话13812345678，证号320102199001011234") == "电话138****5678，证号320***********1234"
    assert masked("服务 20260401 人次，账号6222021234567890123") == "服务 20260401 人次，账号***************0123"
    review = opened(panel)
    version = review.bid.latest
    assert version is not None
    name = version.content["team"][0]["name"]
    page = text(of(review.expert.user).get(reverse("review:score", args=[review.pk])))
    assert name not in page
    assert name[0] + "*" in page


# --- the grid -----------------------------------------------------------------------------------------------------------------


def test_the_grid_saves_what_is_right_and_keeps_what_is_refused_on_the_page(judged: Judged, panel: Panel) -> None:
    code = sector(panel)[0].expert.code
    reviews = [
        services.accept(world.review_of(panel, b, code), by=sector(panel)[0].expert.user, pledge=True) for b in judged.bids
    ]
    client, url = of(sector(panel)[0].expert.user), reverse("review:grid")
    wrong = client.post(url, {f"m_{reviews[0].pk}_need": "12", f"m_{reviews[1].pk}_need": "99", f"m_{reviews[2].pk}_need": ""})
    assert wrong.status_code == 422
    assert "超出 0 至" in text(wrong)
    assert 'value="99"' in text(wrong)
    assert [len(world.sheet(r)) for r in reviews] == [1, 0, 0]
    right = client.post(url, {f"m_{reviews[0].pk}_need": "", f"m_{reviews[1].pk}_need": "9"})
    assert right.status_code == 302
    assert [len(world.sheet(r)) for r in reviews] == [0, 1, 0]


def test_all_complete_ballots_are_handed_in_at_once_the_others_stay_with_their_reason(judged: Judged, panel: Panel) -> None:
    user, code = sector(panel)[0].expert.user, sector(panel)[0].expert.code
    full, half = (world.review_of(panel, b, code) for b in judged.bids[:2])
    world.scored(full, submit=False)
    half = services.accept(half, by=user, pledge=True)
    services.save_marks(half, {"need": "3"}, by=user)
    page = of(user).post(reverse("review:hand_in"), follow=True)
    assert "已提交 1 份" in text(page)
    assert "没有评分不等于零分" in text(page)
    assert {r.bid_id: r.state for r in Filter().rows(user)} == {
        full.bid_id: "submitted", half.bid_id: "accepted", judged.bids[2].pk: "assigned",
    }  # fmt: skip
    assert of(user).post(reverse("review:take_back", args=[full.pk]), {"back": "grid"})["Location"] == reverse("review:grid")
    full.refresh_from_db()
    assert full.state == "accepted"


def test_nobody_takes_back_anothers_ballot_or_after_the_lock(judged: Judged, panel: Panel) -> None:
    review = world.scored(world.review_of(panel, code=sector(panel)[0].expert.code))
    url = reverse("review:take_back", args=[review.pk])
    assert of(sector(panel)[1].expert.user).post(url).status_code == 404
    world.locked(panel, judged.desk.officer)
    assert of(review.expert.user).post(url).status_code == 409


# --- the workbook -------------------------------------------------------------------------------------------------------------


def book_of(user: Any) -> Any:
    return load_workbook(io.BytesIO(of(user).get(reverse("review:workbook")).content))


def sent(user: Any, book: Any, name: str = "ballots.xlsx") -> Any:
    stream = io.BytesIO()
    if isinstance(book, bytes):
        stream.write(book)
    else:
        book.save(stream)
    stream.seek(0)
    stream.name = name
    return of(user).post(reverse("review:upload"), {"file": stream})


def line_of(page: Any, review: Review, code: str) -> int:
    return next(
        r
        for r in range(workbook.FIRST, page.max_row + 1)
        if (page.cell(r, 10).value, page.cell(r, 11).value) == (str(review.pk), code)
    )


def test_a_workbook_filled_in_offline_is_previewed_and_saved_only_when_confirmed(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    user = review.expert.user
    book = book_of(user)
    page = book.worksheets[0]
    assert {v.formula2 for v in page.data_validations.dataValidation} >= {"20", "25"} or page.data_validations.dataValidation
    page.cell(line_of(page, review, "need"), 7).value = 17.5
    page.cell(line_of(page, review, "need"), 8).value = "需求清楚"
    preview = sent(user, book)
    assert preview.status_code == 200
    assert "将修改 1 行" in text(preview)
    assert world.sheet(review) == {}
    token = re.search(r'name="confirmed" value="([^"]+)"', text(preview))
    assert token is not None
    assert of(user).post(reverse("review:upload"), {"confirmed": unescape(token[1])}).status_code == 302
    [mark] = world.sheet(review).values()
    assert (mark.criterion, mark.value, mark.comment) == ("need", world.Decimal("17.5"), "需求清楚")
    thief = sector(panel)[-1].expert.user
    of(thief).post(reverse("review:upload"), {"confirmed": unescape(token[1])})
    of(user).post(reverse("review:upload"), {"confirmed": token[1] + "x"})
    assert len(world.sheet(review)) == 1


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("26", "得分须在 0 至"),
        ("-1", "得分须在 0 至"),
        ("1.234", "最多两位小数"),
        ("很好", "不是数字"),
        ("=1+1", "公式"),
        ("NaN", "得分须在 0 至"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_nothing_is_saved(judged: Judged, panel: Panel, cell: str, why: str) -> None:
    review = opened(panel)
    book = book_of(review.expert.user)
    page = book.worksheets[0]
    row = line_of(page, review, "need")
    page.cell(row, 7).value = cell
    page.cell(line_of(page, review, "design"), 7).value = 3
    answer = sent(review.expert.user, book)
    assert answer.status_code == 422
    assert f"第 {row} 行" in text(answer)
    assert why in text(answer)
    assert 'name="confirmed"' not in text(answer)


def test_rows_of_others_unopened_and_handed_in_reviews_are_refused(judged: Judged, panel: Panel) -> None:
    mine = opened(panel, sector(panel)[0].expert.code)
    user = mine.expert.user
    other = opened(panel, sector(panel)[1].expert.code)
    book = book_of(user)
    page = book.worksheets[0]
    rows = {code: line_of(page, mine, code) for code in ("need", "design")}
    page.cell(rows["need"], 10).value = str(other.pk)
    page.cell(rows["need"], 7).value = 1
    page.cell(rows["design"], 11).value = "budget"
    assert "不是您的评审" in text(sent(user, book))
    assert "这个指标不由您评分" in text(sent(user, book))
    book = book_of(user)
    marks = {c.code: "1" for c in own_criteria(mine)}
    services.save_marks(mine, marks, by=user)
    services.submit(mine, by=user)
    book.worksheets[0].cell(rows["need"], 7).value = 2
    assert "请先取回修改" in text(sent(user, book))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"%PDF-1.4", b"x" * (workbook.LARGEST + 1)])
def test_what_is_no_workbook_of_ours_is_refused_in_words(judged: Judged, panel: Panel, content: bytes) -> None:
    review = opened(panel)
    answer = sent(review.expert.user, content)
    assert answer.status_code == 422
    assert "govuk-error-message" in text(answer)


def test_another_workbook_is_refused_and_a_title_is_never_a_formula(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    type(review.bid)._base_manager.filter(pk=review.bid_id).update(title="=HYPERLINK(1)")
    page = book_of(review.expert.user).worksheets[0]
    assert page.cell(line_of(page, review, "need"), 2).data_type == "s"
    page.cell(1, 11).value = "something"
    refused(Invalid, "workbook", workbook.read, _bytes(page.parent), {})


def _bytes(book: Any) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# --- nothing leaks before the lock ---------------------------------------------------------------------------------------------

MARK, WORDS, ASIDE, WHY = "13.37", "哨兵意见甲", "哨兵内部乙", "哨兵理由丙"


def test_before_the_lock_no_page_file_search_or_refusal_tells_an_expert_anything_of_another(judged: Judged, panel: Panel) -> None:
    """Expert B's ballot carries sentinels; A's own ballot is marked too. Everything A can reach is read, and asked with bad input."""
    a, b = sector(panel)[:2]
    theirs = opened(panel, b.expert.code)
    marks = {c.code: "1" for c in own_criteria(theirs)} | {"design": MARK}
    services.save_marks(theirs, marks, by=b.expert.user, comments={"design": (WORDS, ASIDE)})
    autosave(theirs, 0, note="哨兵笔记丁")
    services.hand_in(theirs, by=b.expert.user)
    for bid in judged.bids[1:]:
        left = world.review_of(panel, bid, b.expert.code)
        services.recuse(left, WHY, by=b.expert.user)
    effects.drain()
    mine = [services.accept(world.review_of(panel, bid, a.expert.code), by=a.expert.user, pledge=True) for bid in judged.bids[:2]]
    services.save_marks(mine[0], {"need": "7.77"}, by=a.expert.user)
    client = of(a.expert.user)
    pages = read_all(
        client,
        ["/", reverse("review:mine"), reverse("review:panels"), reverse("review:grid"), reverse("review:panel", args=[panel.pk])],
    )
    assert len(pages) > 30
    assert any("7.77" in body for body in pages.values()), "the crawl reads ballots at all"
    tried = {
        "too much": client.post(reverse("review:score", args=[mine[0].pk]), {"mark_design": "99", "do": "submit"}),
        "incomplete": client.post(reverse("review:score", args=[mine[1].pk]), {"mark_need": "1", "do": "submit"}),
        "lock": client.post(reverse("desk:step", args=["panel", panel.pk, "lock"]), {"seen_state": "scoring"}),
        "remind": client.post(reverse("review:remind", args=[panel.pk]), follow=True),
        "grid": client.post(reverse("review:grid"), {f"m_{mine[0].pk}_need": "99"}),
    }  # fmt: skip
    pages |= {name: text(response) for name, response in tried.items()}
    for typed in (WORDS, MARK, WHY):  # the page repeats what was typed, and nothing beside it
        assert "没有符合筛选的评审" in text(client.get(reverse("review:mine"), {"q": typed}))
    for url, body in pages.items():
        for secret in (MARK, WHY, WORDS, ASIDE, "哨兵笔记丁", str(theirs.pk)):
            assert secret not in body, f"{secret} on {url}"
        assert "没有交齐的评分" not in body, url
        assert "已提交</th>" not in body, f"counts of others on {url}"
    for name in ("score", "review", "recuse"):
        assert client.get(reverse(f"review:{name}", args=[theirs.pk])).status_code == 404
    for name in ("draft", "skip", "take_back"):
        assert client.post(reverse(f"review:{name}", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("review:ranking", args=[panel.pk])).status_code == 404


def test_the_panels_page_shows_counts_to_the_organiser_and_none_to_a_member(judged: Judged, panel: Panel) -> None:
    world.scored(world.review_of(panel))
    url = reverse("review:panel", args=[panel.pk])
    officer, member = text(of(judged.desk.officer).get(url)), text(of(sector(panel)[0].expert.user).get(url))
    assert "评审份数" in officer
    assert "没有交齐的评分" in officer
    assert "评审份数" not in member
    assert "没有交齐的评分" not in member
    assert "尚未处理" not in member


# --- the organiser reminds ----------------------------------------------------------------------------------------------------


def test_one_click_reminds_only_those_with_open_reviews_and_once_a_day(judged: Judged, panel: Panel) -> None:
    done = sector(panel)[0]
    for bid in judged.bids:
        world.scored(world.review_of(panel, bid, done.expert.code))
    client, url = of(judged.desk.officer), reverse("review:remind", args=[panel.pk])
    assert "已催办" in text(client.post(url, follow=True))
    effects.drain()
    letters = Message.objects.filter(template="review/remind")
    assert letters.count() == 4
    assert not letters.filter(to=done.expert.user).exists()
    assert all("还有 3 份评审" in letter.body for letter in letters)
    assert "今天已经催办过" in text(client.post(url, follow=True))
    with clock.at(world.after(judged.call, 5)):
        services.remind(Panel.objects.get(pk=panel.pk), by=judged.desk.officer)
    refused(NotYou, "may_convene_panels", services.remind, panel, by=done.expert.user)


# --- what it costs ------------------------------------------------------------------------------------------------------------


def queries(user: Any, url: str) -> int:
    client = of(user)
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return sum('"review_' in q["sql"] or '"bidding_' in q["sql"] for q in seen)


@pytest.mark.parametrize(("name", "cost"), [("grid", 3), ("workbook", 3)])
def test_grid_and_workbook_cost_the_same_with_one_and_with_three_reviews(
    judged: Judged, panel: Panel, name: str, cost: int
) -> None:
    user, code = sector(panel)[0].expert.user, sector(panel)[0].expert.code
    for bid in judged.bids:
        world.scored(world.review_of(panel, bid, code), submit=False)
    three = queries(user, reverse(f"review:{name}"))
    keep = panel.reviews.filter(expert__user=user).order_by("pk").first()
    assert keep is not None
    panel.reviews.filter(expert__user=user).exclude(pk=keep.pk).delete()
    assert queries(user, reverse(f"review:{name}")) == three == cost


def test_the_score_page_and_its_autosave_cost_the_same_with_one_and_with_three_reviews(judged: Judged, panel: Panel) -> None:
    review = opened(panel, sector(panel)[0].expert.code)
    user = review.expert.user
    url = reverse("review:score", args=[review.pk])
    three = queries(user, url)
    panel.reviews.filter(expert__user=user).exclude(pk=review.pk).delete()
    assert queries(user, url) == three == 17  # ten of them ask whether a tie has come up since the pledge, whatever the number of reviews
    client = of(user)
    autosave(review, 0, client, mark_need="1")
    with CaptureQueriesContext(connection) as seen:
        assert autosave(review, 1, client, mark_need="2").status_code == 200
    assert len(seen) == 9
