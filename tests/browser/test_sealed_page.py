"""密封投标 in Chromium: a draft that is nowhere but here, sealed here, kept here; what arrives is ciphertext, what is opened is what was typed."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from bidding import frozen, sealing_bundle
from bidding.models import Bid, SealedVersion
from bidding.sealing import envelope, kept
from grants import clock
from tests.browser.test_accessibility import violations, wear
from tests.browser.town import Town, Visitor
from tests.stages.test_applicant import story
from tests.stages.test_sealed_form import OWN, handed, posted
from tests.world import bidding as plain
from tests.world import calls, people
from tests.world import sealing as world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SENTENCE = "每周二下午为独居老人读报并量血压"


class Desk:
    """A sealed call that is open, a bidder with a begun bid, and a whole bid's answers to fill it with."""

    def __init__(self) -> None:
        desk = people.office()
        self.found = world.ready(desk, "YX-2026-01")
        self.who = people.body(desk)
        people.checked(self.who, desk, 2024, 2025)
        twin = calls.opened(desk, calls.from_data({**calls.rules("YX-2026-01").plain(), "code": "YX-2026-31"}))
        clock.set_now(plain.opens(self.found.call))
        self.like = plain.filled(twin, self.who)
        self.bid = world.begun(self.found.call, self.who)
        self.page = reverse("bidding:sealed", args=[self.bid.pk])
        clock.set_now(plain.opens(self.found.call))

    def kept(self) -> dict[str, Any]:
        """A kept copy that fills the whole page, as a file to choose."""
        content = {"format": "bid-form/1", "rules": "", "fields": posted(self.like), "declarations": plain.pledges(self.found.call)}
        place = envelope.Place(self.found.call.code, "x/y", 1)
        _sealed, copy = envelope.sealed(place, content, handed(self.like), self.found.key.recipient)
        return {"name": "留存包.zip", "mimeType": "application/zip", "buffer": kept.pack(copy)}


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk()


def ready(page: Page) -> None:
    expect(page.locator("form[data-sealed][data-ready]")).to_have_count(1)


def begun(town: Town, desk: Desk) -> Visitor:
    person = town.person(desk.who.signatory)
    person.go(desk.page)
    ready(person.page)
    return person


def filled(person: Visitor, desk: Desk) -> None:
    page = person.page
    page.locator("summary", has_text="导入草稿").click()
    page.set_input_files("[data-sealed-file]", desk.kept())
    page.get_by_role("button", name="读入").click()
    expect(page.locator("[data-sealed-import-told]")).to_contain_text("已读入")


def saved(page: Page) -> None:
    expect(page.locator("[data-sealed-state]")).to_contain_text("已存在这台电脑")


def dump() -> str:
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    return out.getvalue()


def sealed_and_saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="封标并提交").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_from_the_first_letter_to_the_opened_bid(town: Town, desk: Desk, tmp_path: Path) -> None:
    """Typed, found again after a reload, checked, sealed, the copy saved, handed in, opened by two officers: word for word the same."""
    person = begun(town, desk)
    page = person.page
    page.get_by_role("button", name="检查").click()
    expect(page.locator("[data-sealed-problems]")).to_be_visible()
    person.look()
    filled(person, desk)
    page.locator("[name=about-title]").fill(SENTENCE)
    saved(page)
    page.reload()
    ready(page)
    expect(page.locator("[name=about-title]")).to_have_value(SENTENCE)
    expect(page.locator("[data-paper] li")).to_have_count(desk.like.attachments.count())
    page.get_by_role("button", name="检查").click()
    expect(page.locator("[data-sealed-complete]")).to_contain_text("没有发现问题")
    copy = sealed_and_saved(page, tmp_path)
    assert not SealedVersion.objects.exists(), "nothing is sent before the copy is confirmed"
    expect(page.locator("[data-sealed-send]")).to_be_disabled()
    page.locator("[data-sealed-confirmed]").check()
    person.look()
    page.locator("[data-sealed-send]").click()
    page.wait_for_url("**/submitted/")
    person.sees(Bid.objects.get(pk=desk.bid.pk).number)
    assert SENTENCE not in dump() and person.faults == []
    everything = [path for path in Path(settings.GONGCHUANG_HOME).rglob("*") if path.is_file()]
    assert everything
    assert not [path for path in everything if SENTENCE.encode() in path.read_bytes()], "neither database nor any file holds the sentence"
    with zipfile.ZipFile(copy) as archive:
        assert SENTENCE in archive.read("manifest.json").decode()


def test_what_arrives_is_ciphertext_and_what_is_opened_is_what_was_typed(
    town: Town, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that the server was sent is searched for the sentence; then the envelope is opened and the working copy compared."""
    sent: list[bytes] = []
    read = HttpRequest.read

    def heard(request: HttpRequest, *args: Any, **kwargs: Any) -> bytes:
        sent.append(read(request, *args, **kwargs))
        return sent[-1]

    monkeypatch.setattr(HttpRequest, "read", heard)
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    page.locator("[name=about-title]").fill(SENTENCE)
    saved(page)
    sealed_and_saved(page, tmp_path)
    page.locator("[data-sealed-confirmed]").check()
    page.locator("[data-sealed-send]").click()
    page.wait_for_url("**/submitted/")
    arrived = b"".join(sent)
    assert arrived.count(b"age-encryption.org/v1") == 1 + desk.like.attachments.count()
    assert SENTENCE.encode() not in arrived and b"%PDF" not in arrived
    page.wait_for_load_state()
    before = frozen.document(desk.like)
    desk.found.call = calls.closed(desk.found.call)
    clock.set_now(desk.found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1))
    desk.found.open()
    after = frozen.document(Bid.objects.get(pk=desk.bid.pk))
    assert after["title"] == SENTENCE
    for part in set(OWN) - {"title", "declarations"}:
        assert without_title(after[part]) == without_title(before[part]), part


def without_title(part: Any) -> Any:
    return re.sub(SENTENCE, "", str(part)).replace("银龄守望——独居老人关爱项目", "")


def test_nothing_is_lost_when_the_server_is_away_and_the_same_files_are_sent_again(town: Town, desk: Desk, tmp_path: Path) -> None:
    """Killed while sending, the page closed, opened again: the sealed files wait, and the kept copy stays right."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    hashes: list[str] = []

    def away(route: Route) -> None:
        hashes.append(re.search(rb'"commit":"(\w+)"', route.request.post_data_buffer or b"")[1].decode())  # type: ignore[index]
        route.abort()

    page.route("**/seal/", away)
    copy = sealed_and_saved(page, tmp_path)
    page.locator("[data-sealed-confirmed]").check()
    page.locator("[data-sealed-send]").click()
    expect(page.locator("[data-sealing-told]")).to_contain_text("同一份封好的文件")
    person.faults.clear()  # the browser notes the request that failed
    person.look()
    page.unroute("**/seal/")
    page.reload()
    ready(page)
    page.locator("[data-sealed-confirmed]").check()
    page.locator("[data-sealed-send]").click()
    page.wait_for_url("**/submitted/")
    version = SealedVersion.objects.get()
    assert version.told["commit"] == hashes[0]
    envelope.restored(version.told, kept.unpack(copy.read_bytes()))


def test_what_had_arrived_before_the_line_broke_is_not_refused_the_second_time(town: Town, desk: Desk, tmp_path: Path) -> None:
    """The server took it and the answer was lost: sent again, the same number comes back and there is one version."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)

    def lost(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/seal/", lost)
    sealed_and_saved(page, tmp_path)
    page.locator("[data-sealed-confirmed]").check()
    page.locator("[data-sealed-send]").click()
    expect(page.locator("[data-sealing-told]")).to_contain_text("同一份封好的文件")
    expect(page.locator("[name=about-title]")).to_be_disabled()
    page.unroute("**/seal/")
    page.locator("[data-sealed-send]").click()
    page.wait_for_url("**/submitted/")
    assert SealedVersion.objects.count() == 1


def test_a_session_that_ended_costs_nothing(town: Town, desk: Desk, tmp_path: Path) -> None:
    """Signed out meanwhile: told so; signed in again in another tab, the same files go."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    sealed_and_saved(page, tmp_path)
    page.context.clear_cookies()
    page.locator("[data-sealed-confirmed]").check()
    page.locator("[data-sealed-send]").click()
    expect(page.locator("[data-sealing-told]")).to_contain_text("登录已失效")
    tab = Visitor(town, page.context, "again")
    tab.sign_in(desk.who.signatory)
    person.faults.clear()
    page.locator("[data-sealed-send]").click()
    page.wait_for_url("**/submitted/", timeout=30_000)
    assert SealedVersion.objects.count() == 1


def test_everybody_can_use_the_page(town: Town, desk: Desk, tmp_path: Path) -> None:
    """axe finds nothing: empty, with problems told, with the passphrase shown, sealed; in high contrast and large type; in English."""
    person = begun(town, desk)
    page = person.page
    page.get_by_role("button", name="检查").click()
    page.locator("summary", has_text="不能保证什么").click()
    assert violations(page) == []
    wear(page, "gc-contrast", "gc-large")
    assert violations(page, "color-contrast") == []
    page.reload()
    ready(page)
    filled(person, desk)
    page.get_by_role("button", name="导出草稿").click()
    expect(page.locator("[data-sealed-words]")).not_to_be_empty()
    assert violations(page) == []
    sealed_and_saved(page, tmp_path)
    assert violations(page) == []
    page.get_by_role("button", name="English").click()
    ready(page)
    expect(page.locator("h1")).to_contain_text("Sealed bid")
    assert violations(page) == []
    person.look()


def test_an_altered_script_is_not_run_and_nothing_is_sent(town: Town, desk: Desk) -> None:
    """The page says so, the keyboard's return sends nothing, and no button of the script is there."""
    person = town.person(desk.who.signatory)
    page = person.page
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    altered = sealing_bundle.content_of(sealing_bundle.BUNDLE).decode() + "\n"
    page.route("**/age.min.js", lambda route: route.fulfill(body=altered, content_type="text/javascript"))
    page.goto(desk.page)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-sealed-loading]")).to_be_visible()
    expect(page.get_by_role("button", name="封标并提交")).to_be_hidden()
    page.locator("[name=about-title]").fill(SENTENCE)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert posts == []


PASTE = """(cell, text) => { const data = new DataTransfer(); data.setData("text/plain", text);
    cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }"""


def test_rows_from_a_spreadsheet_are_pasted_here_and_taken_back(town: Town, desk: Desk) -> None:
    """What can be read fills the table, what cannot is named by line and column; one click and the table is as before. Nothing is sent."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    names = page.locator("[name^=budget-][name$=-name]")
    written = "all => all.map((one) => one.value).filter(Boolean)"  # rows that were added for it stay, blank
    before = names.evaluate_all(written)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    category = page.locator("[name=budget-0-category] option").nth(1).text_content() or ""
    names.first.evaluate(PASTE, f"类别\t名称\t单价\t数量\n{category.strip()}\t血压计\t１,２００\t3\n{category.strip()}\t床垫\t很多\t1\n")
    report = page.locator("[data-paste-report]").first
    expect(report).to_contain_text("已填入")
    expect(report).to_contain_text("很多")
    assert "血压计" in names.evaluate_all("all => all.map((one) => one.value)")
    person.look()
    report.get_by_role("button", name="撤销这次粘贴").click()
    expect(report).to_contain_text("已撤销")
    assert names.evaluate_all(written) == before
    assert "POST" not in sent
    assert person.faults == []


def test_a_budget_that_breaks_a_rule_of_the_whole_is_not_sealed_and_the_sentence_says_which(town: Town, desk: Desk) -> None:
    """What the server may not see before the opening is judged here: the total over the cap stops 封标, and a mended one goes on."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    price = page.locator("[name=budget-0-unit_price]")
    sound = price.input_value()
    price.fill("99999999")
    page.get_by_role("button", name="封标并提交").click()
    problems = page.locator("[data-sealed-problems]")
    expect(problems).to_be_visible()
    expect(problems).to_contain_text("上限")
    person.look()
    price.fill(sound)
    page.get_by_role("button", name="检查").click()
    expect(page.locator("[data-sealed-complete]")).to_contain_text("没有发现问题")


def test_two_tabs_one_pen(town: Town, desk: Desk) -> None:
    """The second tab looks on; when it takes the pen it has what the first one wrote, and the first cannot write any more."""
    person = begun(town, desk)
    first = person.page
    first.locator("[name=about-title]").fill("第一个标签页")
    saved(first)
    second = first.context.new_page()
    second.goto(desk.page)
    ready(second)
    expect(second.locator("[name=about-title]")).to_be_disabled()
    first.locator("[name=about-title]").fill("第一个标签页改了")
    second.get_by_role("button", name="在这个标签页里填写").click()
    expect(second.locator("[name=about-title]")).to_be_enabled()
    expect(second.locator("[name=about-title]")).to_have_value("第一个标签页改了")
    expect(first.locator("[name=about-title]")).to_be_disabled()


def test_a_draft_is_taken_to_another_computer_under_its_passphrase(town: Town, desk: Desk, tmp_path: Path) -> None:
    """Exported and read in by a colleague's browser: answers and files; a wrong word opens nothing."""
    person = begun(town, desk)
    page = person.page
    filled(person, desk)
    page.get_by_role("button", name="导出草稿").click()
    expect(page.locator("[data-sealed-words]")).to_have_text(re.compile(r"^\w{4}(-\w{4}){4}$"))
    words = page.locator("[data-sealed-words]").text_content() or ""
    with page.expect_download() as download:
        page.get_by_role("link", name="保存草稿文件").click()
    download.value.save_as(tmp_path / "draft.age")
    assert (tmp_path / "draft.age").read_bytes().startswith(b"age-encryption.org/v1")
    other = Visitor(town, town.context(), "other")
    other.sign_in(desk.who.signatory)
    other.go(desk.page)
    ready(other.page)
    other.page.locator("summary", has_text="导入草稿").click()
    other.page.set_input_files("[data-sealed-file]", tmp_path / "draft.age")
    for typed, told in (("0000-0000-0000-0000-0000", "口令不对"), (words.upper().replace("-", " "), "已读入")):
        other.page.locator("[data-sealed-typed]").fill(typed)
        other.page.get_by_role("button", name="读入").click()
        expect(other.page.locator("[data-sealed-import-told]")).to_contain_text(told)
    expect(other.page.locator("[data-paper] li")).to_have_count(desk.like.attachments.count())
    expect(other.page.locator("[name=about-title]")).to_have_value(desk.like.title)


def test_signing_out_on_a_shared_computer_clears_the_draft(town: Town, desk: Desk) -> None:
    person = begun(town, desk)
    page = person.page
    page.locator("[name=about-title]").fill(SENTENCE)
    saved(page)
    page.get_by_role("button", name="退出").click()
    page.get_by_role("button", name="清除并退出").click()
    page.wait_for_load_state()
    kept_still = page.evaluate("async () => (await indexedDB.databases()).map(({ name }) => name)")
    assert not any(str(desk.who.signatory.pseudonym) in name for name in kept_still)


def test_files_that_would_be_refused_are_refused_before_sealing(town: Town, desk: Desk) -> None:
    person = begun(town, desk)
    page = person.page
    box = page.locator("[data-paper]").first
    box.locator("input[type=file]").set_input_files(
        [
            {"name": "程序.exe", "mimeType": "application/pdf", "buffer": b"MZ"},
            {"name": "空.pdf", "mimeType": "application/pdf", "buffer": b""},
            {"name": "不是.pdf", "mimeType": "application/pdf", "buffer": b"hello"},
            {"name": "好.pdf", "mimeType": "application/pdf", "buffer": plain.pdf()},
        ]
    )
    expect(box.locator("[data-kept] li")).to_have_count(1)
    expect(box.locator("[data-problem]")).to_have_count(3)


PROFILE = "#id_s-applicant-profile"
MARK = "#carried-s-applicant-profile"


def test_a_new_draft_begins_with_what_the_organisation_has_told_and_every_answer_is_to_be_confirmed(town: Town, desk: Desk) -> None:
    """Filled where blank, marked, told by the check; a confirmation and a change are remembered; nothing of it is sent."""
    story(desk.who)
    person = begun(town, desk)
    page = person.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    expect(page.locator(PROFILE)).to_have_value("成立于 2020 年，专注居家养老。")
    expect(page.locator("[data-sealed-state]")).to_contain_text("带入了 3 项")
    expect(page.locator(".gc-carried")).to_have_count(3)
    expect(page.locator(".gc-carried").first).to_contain_text("来自单位资料，请确认 单位资料")
    assert violations(page) == []
    person.look()
    page.get_by_role("button", name="检查").click()
    told = page.locator("[data-sealed-problems] li", has_text="是从单位资料或以往申报带入的")
    expect(told).to_have_count(3)
    page.get_by_role("button", name="核对无误：").nth(0).click()
    expect(page.locator(".gc-carried")).to_have_count(2)
    page.locator("[name=s-applicant-experience-0-funder]").fill("云溪区慈善总会")
    expect(page.locator(".gc-carried")).to_have_count(1)
    saved(page)
    page.reload()
    ready(page)
    expect(page.locator(".gc-carried")).to_have_count(1)
    expect(page.locator("[name=s-applicant-experience-0-funder]")).to_have_value("云溪区慈善总会")
    page.get_by_role("button", name="检查").click()
    expect(told).to_have_count(1)
    assert sent == []


def test_what_was_typed_is_never_overwritten_by_the_profile(town: Town, desk: Desk) -> None:
    """A draft that there is already stays as it is, also where it is blank; a kept copy that is read in has no marks."""
    person = begun(town, desk)
    page = person.page
    page.locator(PROFILE).fill("我们自己写的")
    saved(page)
    story(desk.who)
    page.reload()
    ready(page)
    expect(page.locator(PROFILE)).to_have_value("我们自己写的")
    expect(page.locator(".gc-carried")).to_have_count(0)
    expect(page.locator("[name=s-applicant-experience-0-funder]")).to_have_value("")
    expect(page.locator("[data-sealed-file]")).to_be_hidden()
    page.get_by_role("link", name="从这里读入").click()
    expect(page.locator("[data-sealed-file]")).to_be_visible()
    page.set_input_files("[data-sealed-file]", desk.kept())
    page.get_by_role("button", name="读入").click()
    expect(page.locator("[data-sealed-import-told]")).to_contain_text("已读入")
    expect(page.locator(".gc-carried")).to_have_count(0)


def test_marks_travel_with_the_exported_draft(town: Town, desk: Desk, tmp_path: Path) -> None:
    story(desk.who)
    person = begun(town, desk)
    page = person.page
    page.get_by_role("button", name="核对无误：").nth(0).click()
    page.get_by_role("button", name="导出草稿").click()
    expect(page.locator("[data-sealed-words]")).not_to_be_empty()
    with page.expect_download() as download:
        page.get_by_role("link", name="保存草稿文件").click()
    download.value.save_as(tmp_path / "draft.age")
    words = page.locator("[data-sealed-words]").text_content() or ""
    page.get_by_role("button", name="核对无误：").nth(0).click()
    expect(page.locator(".gc-carried")).to_have_count(1)
    page.locator("summary", has_text="导入草稿").click()
    page.set_input_files("[data-sealed-file]", tmp_path / "draft.age")
    page.locator("[data-sealed-typed]").fill(words)
    page.get_by_role("button", name="读入").click()
    expect(page.locator(".gc-carried")).to_have_count(2)
