"""大字版 and high contrast follow the person or stay with the visitor; the foot of the page says who runs it; 找错 reaches somebody."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django.urls import reverse

from grants.notifications.models import Message
from grants.people.models import User
from tests.world.people import person, trio

pytestmark = pytest.mark.django_db
SWITCH, HOME, STYLE = "/style/display/", "/", "/style/"


def root(client: Client) -> str:
    html = client.get(STYLE).content.decode()
    return html[html.index("<html") : html.index(">", html.index("<html"))]


def test_a_visitors_choice_is_remembered_by_the_server_and_both_can_be_on() -> None:
    visitor = Client()
    assert "gc-large" not in root(visitor)
    answer = visitor.post(SWITCH, {"large": "1", "next": "/calls/"})
    assert (answer.status_code, answer["Location"]) == (302, "/calls/")
    visitor.post(SWITCH, {"contrast": "1"})
    assert "gc-large gc-contrast" in root(visitor)
    assert visitor.get(STYLE).content.decode().count('aria-pressed="true"') == 2
    visitor.post(SWITCH, {"large": "0"})
    assert "gc-large" not in root(visitor)
    assert "gc-contrast" in root(visitor)
    assert visitor.cookies[settings.DISPLAY_COOKIE_NAME]["httponly"]


def test_a_persons_choice_follows_to_another_browser_and_ends_with_signing_out() -> None:
    user, first, second = person("张三"), Client(), Client()
    for browser in (first, second):
        browser.force_login(user)
    first.post(SWITCH, {"contrast": "1"})
    assert "gc-contrast" in root(second)
    assert User.objects.get(pk=user.pk).high_contrast
    second.post(reverse("desk:sign_out"))
    assert "gc-contrast" not in root(second)


def test_a_cookie_that_is_not_ours_is_overlooked() -> None:
    visitor = Client()
    visitor.cookies[settings.DISPLAY_COOKIE_NAME] = "large-contrast:forged"
    assert "gc-large" not in root(visitor)


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_switch_never_leads_away_from_the_site(next_: str) -> None:
    assert Client().post(SWITCH, {"large": "1", "next": next_})["Location"] == "/"


def test_only_known_switches_and_only_by_a_form_with_its_token() -> None:
    assert Client().post(SWITCH, {"colour": "1"}).status_code == 400
    assert Client().get(SWITCH).status_code == 405
    assert Client(enforce_csrf_checks=True).post(SWITCH, {"large": "1"}).status_code == 403


AGENCY = {
    "organiser": "云溪区民政局", "contact": "025-1234567", "icp": "苏ICP备1号", "icp_url": "https://icp.example/", "police": "苏公网安备2号",
    "police_url": "https://police.example/", "code": "3201000001", "corrections_url": "",
}  # fmt: skip


def test_the_foot_of_the_page_says_who_runs_the_site_and_leaves_out_what_is_not_set(settings: Any) -> None:
    html = Client().get(HOME).content.decode()
    assert "主办单位" not in html
    assert "标识码" not in html
    settings.SITE_AGENCY = AGENCY
    html = Client().get(HOME).content.decode()
    for words in ("主办单位：云溪区民政局", "025-1234567", 'href="https://icp.example/"', "苏公网安备2号", "网站标识码：3201000001"):
        assert words in html
    settings.SITE_AGENCY = {**AGENCY, "corrections_url": "https://jiucuo.example/?code=1"}
    assert 'href="https://jiucuo.example/?code=1"' in Client().get(HOME).content.decode()


def test_a_report_of_a_mistake_reaches_the_administrators_and_the_mailbox(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.SITE_CORRECTIONS_MAIL = "jiucuo@example.org"
    admin = trio().system
    somebody = person("路人")
    with django_capture_on_commit_callbacks(execute=True):
        answer = Client().post(reverse("desk:corrections"), {"page": "/calls/", "what": "<b>金额</b>少了一个零", "contact": "13812345678"})
    assert answer.status_code == 302
    letter = Message.objects.get(to=admin)
    assert "/calls/" in letter.subject
    assert "<b>金额</b>少了一个零" in letter.body
    assert "13812345678" in letter.body
    assert not Message.objects.filter(to=somebody).exists()
    assert [(each.to, "金额" in each.body) for each in mail.outbox] == [(["jiucuo@example.org"], True)]


def test_a_report_without_its_sentence_keeps_what_was_typed_and_sends_nothing() -> None:
    trio()
    answer = Client().post(reverse("desk:corrections"), {"page": "/calls/第三页/", "what": ""})
    assert answer.status_code == 422
    assert "/calls/第三页/" in answer.content.decode()
    assert not Message.objects.exists()


def test_reports_are_limited_per_address() -> None:
    visitor = Client()
    answers = [visitor.post(reverse("desk:corrections"), {"page": "x", "what": f"第{n}处"}).status_code for n in range(11)]
    assert answers == [302] * 10 + [429]


def test_the_site_map_lists_what_this_visitor_can_reach() -> None:
    visitor, member = Client(), Client()
    member.force_login(person("李四"))
    assert reverse("people:sign_up") in visitor.get(reverse("desk:site_map")).content.decode()
    assert reverse("notifications:inbox") not in visitor.get(reverse("desk:site_map")).content.decode()
    assert reverse("notifications:inbox") in member.get(reverse("desk:site_map")).content.decode()


def test_a_page_without_a_trail_of_its_own_gets_home_its_place_and_its_title() -> None:
    html = Client().get(reverse("desk:site_map")).content.decode()
    trail = html[html.index("govuk-breadcrumbs") : html.index("</nav>", html.index("govuk-breadcrumbs"))]
    assert '<a class="govuk-breadcrumbs__link" href="/">首页</a>' in trail
    assert 'aria-current="page">网站地图</li>' in trail
    assert "govuk-breadcrumbs" not in Client().get(HOME).content.decode()


def test_the_trail_shows_a_title_as_it_is_escaped_once() -> None:
    page = Template('{% extends "web/base.html" %}{% block title %}{{ name }}{% endblock %}')
    html = page.render(RequestContext(RequestFactory().get("/x/"), {"name": "甲 & <乙>"}))
    assert 'aria-current="page">甲 &amp; &lt;乙&gt;</li>' in html
