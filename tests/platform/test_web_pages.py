"""Pages of the design system: what is sent with them, what is never in them, and what people see when something is refused."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from grants.people.models import User
from grants.web import errors
from grants.web.caching import NothingStays
from grants.web.policy import ContentSecurityPolicy

WEB = Path(settings.BASE_DIR) / "grants" / "web"
STATIC = WEB / "static" / "web"
PAGES = [path for folder in (WEB / "templates", Path(settings.BASE_DIR) / "templates") for path in folder.rglob("*.html")]
SHOWN = [path for path in PAGES if "documents" not in path.parts and "mail" not in path.parts]  # paper and letters have no policy


@pytest.fixture
def html(client: Client) -> str:
    return client.get("/style/").content.decode()


@pytest.mark.django_db
def test_the_style_page_shows_every_part_in_chinese(html: str) -> None:
    assert '<html lang="zh-Hans"' in html
    assert f"- {settings.SITE_NAME}</title>" in html
    for part in (
        "task-list",
        "notification-banner",
        "warning-text",
        "inset-text",
        "details",
        "radios",
        "checkboxes",
        "file-upload",
        "select",
    ):
        assert f'class="govuk-{part}' in html, part
    for words in ("¥150,000.00", "2026年3月20日 16:59:58", "138****5678", "跳到主要内容", "当前位置"):
        assert words in html


@pytest.mark.django_db
def test_every_page_is_sent_with_the_strict_policy(client: Client) -> None:
    policy = client.get("/style/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert client.get("/no-such-page/")["Content-Security-Policy"] == policy


def test_an_answer_with_a_stricter_policy_keeps_it() -> None:
    strict = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
    assert ContentSecurityPolicy(lambda request: strict)(RequestFactory().get("/"))["Content-Security-Policy"] == "sandbox"


def test_no_template_has_inline_script_style_or_foreign_address() -> None:
    """The policy would silently drop them, so a page with them would look right only in a test without a browser."""
    assert len(SHOWN) > 20
    faults = re.compile(
        r"""\sstyle=|<style|\son[a-z]+=["']|<script(?![^>]*\ssrc=)|javascript:|(?:src|href)=["'](?:https?:)?//""", re.IGNORECASE
    )
    assert [(str(path), match[0]) for path in SHOWN if (match := faults.search(path.read_text(encoding="utf-8")))] == []


def test_static_files_load_nothing_from_elsewhere_and_hold_no_british_marks() -> None:
    css = (STATIC / "gongchuang.css").read_text(encoding="utf-8")
    script = (STATIC / "govuk-frontend.min.js").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css
    assert "GDS Transport" not in css
    assert "crown" not in css
    assert "PingFang SC" in css
    assert len(script) > 20_000
    assert "sourceMappingURL" not in script


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_states_buttons_links_and_quiet_text_have_enough_contrast() -> None:
    """WCAG 2.2 1.4.3 (GB/T 37668): 4.5 to 1 for text."""
    css = (STATIC / "gongchuang.css").read_text(encoding="utf-8")
    pairs = re.findall(r"\.gc-tag-[a-z_]+\{color:(#[0-9a-f]+);background:(#[0-9a-f]+)", css)
    assert len(pairs) > 30
    light, dark = css.split(".gc-contrast{", 1)
    named = dict(re.findall(r"--govuk-([a-z-]+)-colour: ?(#[0-9a-f]+)", light))
    bright = dict(re.findall(r"--govuk-([a-z-]+)-colour: ?(#[0-9a-f]+)", dark.split("}")[0]))
    pairs += [(bright[name], bright["body-background"]) for name in ("text", "link", "secondary-text", "error", "brand", "border")]
    pairs += [
        ("#ffffff", named["brand"]),
        (named["link"], "#ffffff"),
        (named["secondary-text"], "#ffffff"),
        (named["error"], "#ffffff"),
    ]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.django_db
@pytest.mark.parametrize("status", [403, 409, 422])
def test_a_refusal_says_why_and_that_nothing_was_changed(rf: RequestFactory, status: int) -> None:
    page = errors.refused(rf.get("/"), "<截止>时间已过。", status=status, problems={"amount": ["超过上限 0.01 元。"]}, back="/o/")
    assert page.status_code == status
    for words in ("&lt;截止&gt;时间已过。", "超过上限 0.01 元。", "什么都没有改动", 'href="/o/"', 'lang="zh-Hans"'):
        assert words in page.content.decode()


def test_the_three_refusals_have_three_headings(rf: RequestFactory) -> None:
    headings = {
        re.search("<h1.*?>(.*?)</h1>", errors.refused(rf.get("/"), "。", status=status).content.decode())[1]
        for status in (403, 409, 422)
    }
    assert len(headings) == 3


def test_a_denied_permission_shows_its_own_sentence_or_ours(rf: RequestFactory) -> None:
    assert "只有财务可以。" in errors.forbidden(rf.get("/"), PermissionDenied("只有财务可以。")).content.decode()
    assert "没有办理这件事的权限" in errors.forbidden(rf.get("/"), PermissionDenied()).content.decode()


@pytest.mark.django_db
def test_an_unknown_address_says_what_to_do(client: Client) -> None:
    answer = client.get("/没有/")
    assert answer.status_code == 404
    assert "请向对方核对" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/style/")
    assert answer.status_code == 403
    assert "刷新后再提交" in answer.content.decode()


def test_the_page_for_a_fault_needs_neither_database_nor_session(rf: RequestFactory) -> None:
    """This test has no database: any query would fail it."""
    answer = errors.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "没有写入一半" in answer.content.decode()


def part(name: str, **context: object) -> str:
    return render_to_string(f"web/partials/{name}.html", context)


def test_a_task_that_cannot_start_is_no_link() -> None:
    shown = part(
        "task_list",
        tasks=[{"title": "预算", "status": "尚不能开始"}, {"title": "附件", "status": "有问题", "url": "/a/", "colour": "red"}],
    )
    assert shown.count("<a ") == 1
    assert "cannot-start-yet" in shown
    assert "govuk-tag--red" in shown


def test_an_empty_answer_is_shown_as_not_filled_in_and_zero_is_not_empty() -> None:
    shown = part("summary_list", rows=[{"key": "备注", "value": ""}, {"key": "配套", "value": 0, "change": "/c/"}])
    assert shown.count("未填写") == 1
    assert "修改" in shown


def test_numbers_in_a_table_stand_in_their_column() -> None:
    shown = part(
        "table", caption="预算", heads=[("科目", False), ("金额", True)], rows=[["保险", "7,000.00"]], total=["合计", "7,000.00"]
    )
    assert shown.count("govuk-table__cell--numeric") == 2
    assert "<strong>合计</strong>" in shown


def test_pages_keep_the_filter_in_their_links() -> None:
    shown = part("pagination", page=Paginator(range(300), 50).page(2), query="state=open")
    assert "?state=open&amp;page=1" in shown
    far = part("pagination", page=Paginator(range(3000), 50).page(30))
    assert "page=29" in far
    assert "page=31" in far
    assert "…" in far
    assert "page=15" not in far
    assert 'aria-current="page"' in shown
    assert part("pagination", page=Paginator(range(3), 50).page(1)).strip() == ""


def test_a_timeline_names_time_who_and_files_and_an_empty_one_says_so() -> None:
    moment = {
        "at": dt.datetime(2026, 9, 30, 9, tzinfo=dt.UTC),
        "what": "提交",
        "who": "李想",
        "role": "签字人",
        "files": [("表.pdf", "ab" * 32)],
    }
    shown = part("timeline", timeline=[moment])
    for words in ("2026年9月30日 17:00", "李想（签字人）", "abababababab…"):
        assert words in shown
    assert "还没有任何记录" in part("timeline", timeline=[])


def test_breadcrumbs_end_with_the_page_itself_which_is_no_link() -> None:
    shown = part("breadcrumbs", trail=[("首页", "/"), ("征集", "/c/"), ("本页", "/x/")])
    assert shown.count("<a ") == 2
    assert "当前位置" in shown
    assert 'aria-current="page">本页' in shown


def render(source: str, **context: object) -> str:
    return Template("{% load web_tags %}" + source).render(Context(context))


def test_amounts_times_and_dashes() -> None:
    assert (
        render("{{ a|yuan }} {{ b|yuan }} {{ c|yuan }}", a=Decimal(150000), b=None, c=Decimal("-3260.40"))
        == "¥150,000.00 — -¥3,260.40"
    )
    assert render("{{ a|zh_datetime }} {{ b|zh_date }}", a=None, b=dt.date(2026, 9, 30)) == "— 2026年9月30日"
    with pytest.raises(TypeError):
        render("{{ a|yuan }}", a=0.1)


def test_a_naive_time_is_never_shown_as_beijing_time() -> None:
    with pytest.raises(ValueError, match="without zone"):
        render("{{ a|zh_datetime }}", a=dt.datetime(2026, 9, 30, 17))


def test_a_state_is_a_tag_in_words_and_never_a_link() -> None:
    assert render("{% tag 'open' '受理中' %}") == '<strong class="govuk-tag gc-tag-open">受理中</strong>'


@pytest.mark.parametrize(
    ("given", "signed_in", "sent"),
    [
        ("", True, "private, no-store"),
        ("private, no-cache", True, "private, no-store"),
        ("max-age=0, no-cache, no-store, must-revalidate, private", True, "max-age=0, no-cache, no-store, must-revalidate, private"),
        ("public, max-age=60", True, "public, max-age=60"),
        ("", False, ""),
        ("public, max-age=60", False, "public, max-age=60"),
    ],
)
def test_nothing_sent_to_somebody_signed_in_may_be_stored(rf: RequestFactory, given: str, signed_in: bool, sent: str) -> None:
    """Whatever a page says of itself, unless it is the same for everybody; a visitor's answer stays as it is, and no session is looked for."""

    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": given} if given else {})

    request = rf.get("/")
    if signed_in:
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
        request.user = User()
    assert NothingStays(page)(request).headers.get("Cache-Control", "") == sent
