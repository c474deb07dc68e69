"""答疑: anybody with an organisation asks, two persons answer, everybody reads the same and nobody reads who asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.calls import pages, questioning, services
from grants.calls.models import Call, Follower, Question
from grants.notifications.models import Message
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import calls, people
from tests.world.calls import DAY
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db
DURING = calls.OPENS + DAY


@pytest.fixture
def town() -> tuple[people.Office, people.Body, Call]:
    """An agency, an organisation, and an open call of the agency."""
    desk = people.office()
    return desk, people.body(desk), calls.opened(desk)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def asked(town: tuple[people.Office, people.Body, Call], words: str = "可以联合申报吗？") -> Question:
    _desk, body, call = town
    with clock.at(DURING):
        return questioning.ask(call, body.organisation, words, by=body.signatory)


def answered(town: Any, words: str = "可以，最多三家。", words_asked: str = "可以联合申报吗？") -> Question:
    with clock.at(DURING):
        return perform(asked(town, words_asked), "answer_", by=town[0].officer, answer=words)


def released(town: Any) -> Question:
    with clock.at(DURING):
        return perform(answered(town), "publish", by=town[0].approver)


def test_a_question_is_answered_by_one_and_released_by_another(town: Any) -> None:
    """The officer drafts, the approver releases; then it stands on the public page, without the asker."""
    desk, body, call = town
    question = answered(town)
    with clock.at(DURING):
        refused(NotYou, "not_answered_by", perform, question, "publish", by=desk.officer)
        assert "可以，最多三家" not in text(Client().get(reverse("calls:questions", args=[call.code])))
        perform(question, "publish", by=desk.approver)
        for url in (reverse("calls:questions", args=[call.code]), reverse("calls:public", args=[call.code])):
            page = text(Client().get(url))
            assert "可以联合申报吗？" in page and "可以，最多三家。" in page
            assert body.organisation.name not in page and body.signatory.name not in page


def test_another_officer_may_release_too(town: Any) -> None:
    """It is another person that is asked for, not a higher one."""
    second = people.appointed("officer", town[0].agency)
    question = answered(town)
    with clock.at(DURING):
        assert perform(question, "publish", by=second).state == "published"


def test_who_asked_is_hidden_from_the_agency_until_the_deadline(town: Any) -> None:
    """On the question's page and its timeline; afterwards they may read it, the asker may always, the public never."""
    desk, body, call = town
    question = asked(town)
    url = reverse("desk:object", args=["question", question.pk])
    with clock.at(DURING):
        page = text(as_(desk.officer).get(url))
        assert body.organisation.name not in page and body.signatory.name not in page
        assert "截止后可见" in page and "谁提问，可能就是谁申报" in page
        assert body.organisation.name in text(as_(body.signatory).get(url))
        listing = text(as_(desk.officer).get(reverse("calls:questions", args=[call.code])))
        assert body.organisation.name not in listing and "可以联合申报吗？" in listing
    with clock.at(call.closes_at):
        assert body.organisation.name in text(as_(desk.officer).get(url))
    assert Client().get(url).status_code == 404
    assert as_(people.body(desk).signatory).get(url).status_code == 404
    assert as_(people.office().officer).get(url).status_code == 404


@pytest.mark.parametrize(
    "words", ["请回电 13812345678", "联系 zhang@example.org", "身份证 11010519491231002X 可以吗", "电话 １３８ １２３４ ５６７８"]
)
def test_personal_data_is_refused_in_questions_and_answers(town: Any, words: str) -> None:
    """Masked in the sentence, full width or not; nothing is written and what was typed stays on the page."""
    desk, body, call = town
    with clock.at(DURING):
        refusal = refused(NotNow, "nothing_personal", questioning.ask, call, body.organisation, words, by=body.signatory)
        assert "不要写个人信息" in str(refusal) and "12345678" not in str(refusal)
        answer = as_(body.signatory).post(
            reverse("calls:questions", args=[call.code]), {"organisation": str(body.organisation.pk), "text": words}
        )
        assert answer.status_code == 409 and words in text(answer).replace("&#x27;", "'") and not Question.objects.exists()
        question = asked(town)
        refused(NotNow, "nothing_personal", perform, question, "answer_", by=desk.officer, answer=words)


def test_the_agencys_own_published_contact_may_stand_in_an_answer(town: Any) -> None:
    """The office telephone of the notice is no personal data."""
    desk, _body, call = town
    contact = call.rules.agency.contact
    assert contact
    question = asked(town)
    with clock.at(DURING):
        assert perform(question, "answer_", by=desk.officer, answer=f"请致电 {contact}").state == "answered"


def test_questions_end_at_their_time_and_answers_at_the_deadline(town: Any) -> None:
    """The last second still counts for questions; an answer after the deadline helps nobody and is refused."""
    desk, body, call = town
    with clock.at(call.questions_until):
        questioning.ask(call, body.organisation, "最后一问", by=body.signatory)
    with clock.at(call.questions_until + DAY / 24):
        refused(NotNow, "question_time", questioning.ask, call, body.organisation, "晚了", by=body.signatory)
        page = text(as_(body.signatory).get(reverse("calls:questions", args=[call.code])))
        assert "提问已截止" in page and "我要提问" not in page
    question = answered(town)
    with clock.at(call.closes_at):
        refused(NotNow, "still_useful", perform, question, "publish", by=desk.approver)


def test_only_an_organisations_people_ask_and_only_for_it(town: Any) -> None:
    """A visitor is sent to sign in, an officer and another organisation's person are refused; empty and endless questions too."""
    desk, body, call = town
    other = people.body(desk)
    url = reverse("calls:questions", args=[call.code])
    with clock.at(DURING):
        refused(NotYou, "may_see_bids", questioning.ask, call, body.organisation, "？", by=other.signatory)
        refused(NotYou, "may_see_bids", questioning.ask, call, body.organisation, "？", by=desk.officer)
        refused(Invalid, "text", questioning.ask, call, body.organisation, "  ", by=body.signatory)
        refused(Invalid, "text", questioning.ask, call, body.organisation, "问" * 2001, by=body.signatory)
        assert "登录后提问" in text(Client().get(url))
        Client().post(url, {"organisation": str(body.organisation.pk), "text": "匿名"})
        foreign = as_(other.signatory).post(url, {"organisation": str(body.organisation.pk), "text": "冒名"})
        assert foreign.status_code == 422 and not Question.objects.exists()


def test_a_draft_call_takes_no_questions() -> None:
    """It has no page for others, and the rule says no."""
    desk = people.office()
    body, made = people.body(desk), calls.draft(desk)
    assert as_(body.signatory).get(reverse("calls:questions", args=[made.code])).status_code == 404
    refused(NotNow, "question_time", questioning.ask, made, body.organisation, "早了", by=body.signatory)


def test_several_answers_are_released_at_one_moment_with_one_letter(town: Any) -> None:
    """Followers and askers get one letter with both; a second delivery writes none."""
    desk, body, call = town
    reader = people.person("读者")
    questioning.follow(call, reader)
    one, two = answered(town), answered(town, "不需要。", words_asked="要交纸质材料吗？")
    url = reverse("calls:release", args=[call.code])
    with clock.at(DURING):
        as_(desk.approver).post(url, {"question": [str(one.pk), str(two.pk)]})
    assert set(Question.objects.values_list("state", flat=True)) == {"published"}
    assert len(set(Question.objects.values_list("published_at", flat=True))) == 1
    effects.drain()
    for user in (reader, body.signatory):
        letters = Message.objects.filter(to=user, template="answers_published")
        assert letters.count() == 1 and "不需要。" in letters.get().body and "可以，最多三家。" in letters.get().body
        assert body.organisation.name not in letters.get().body


def test_release_together_is_all_or_none(town: Any) -> None:
    """One answer drafted by the releaser stops them all; the sentence says why; strangers are refused."""
    desk, body, call = town
    second = people.appointed("officer", desk.agency)
    one = answered(town)
    with clock.at(DURING):
        two = perform(asked(town, "要交几份？"), "answer_", by=second, answer="一份。")
        url = reverse("calls:release", args=[call.code])
        page = as_(second).post(url, {"question": [str(one.pk), str(two.pk), "nonsense"]}, follow=True)
        assert "拟写与公开分离" in text(page) and not Question.objects.filter(state="published").exists()
        assert as_(body.signatory).post(url, {"question": [str(one.pk)]}).status_code == 403
        assert "没有选中" in text(as_(desk.approver).post(url, {}, follow=True))


def test_the_same_question_is_answered_once(town: Any) -> None:
    """Merged into the other one, of the same call only and not into itself; its asker is told and follows."""
    desk, body, call = town
    first, again = asked(town), asked(town, "几家可以一起报吗？")
    elsewhere = calls.opened(desk, calls.rules("YX-2026-02"))
    with clock.at(DURING):
        foreign = questioning.ask(elsewhere, body.organisation, "别处的问题", by=body.signatory)
        for wrong in (again, foreign):
            refused(NotNow, "another_of_the_call", perform, again, "merge", by=desk.officer, into=wrong)
        step = reverse("desk:step", args=["question", again.pk, "merge"])
        as_(desk.officer).post(step, {"into": str(first.pk), "seen_state": "asked"})
    again.refresh_from_db()
    assert (again.state, again.into) == ("merged", first)
    effects.drain()
    assert "可以联合申报吗？" in Message.objects.get(to=body.signatory, template="question_settled").body
    assert Follower.objects.filter(call=call, user=body.signatory).count() == 1


def test_declining_needs_a_reason_that_the_asker_reads(town: Any) -> None:
    """The reason stands on the question's page for its organisation; nothing becomes public."""
    desk, body, call = town
    question = asked(town, "我们的方案好不好？")
    with clock.at(DURING):
        step = reverse("desk:step", args=["question", question.pk, "decline"])
        assert as_(desk.officer).post(step, {"note": "", "seen_state": "asked"}).status_code == 422
        as_(desk.officer).post(step, {"note": "评价方案是评审组的事", "seen_state": "asked"})
        assert "评价方案是评审组的事" in text(as_(body.signatory).get(reverse("desk:object", args=["question", question.pk])))
        assert "方案好不好" not in text(Client().get(reverse("calls:questions", args=[call.code])))


def test_an_approver_returns_a_draft_answer(town: Any) -> None:
    """With a reason; the officer finds it among what waits for them."""
    desk, _body, _call = town
    question = answered(town)
    with clock.at(DURING):
        assert any("核对并公开答复" in str(w.label) for w in pages.waiting(desk.approver))
        perform(question, "return_", by=desk.approver, note="请写明依据")
        assert any("答复提问" in str(w.label) for w in pages.waiting(desk.officer))
        assert not any("核对并公开答复" in str(w.label) for w in pages.waiting(desk.approver))


def test_officers_are_told_of_a_question_without_its_asker(town: Any) -> None:
    """The letter has the words and not the organisation."""
    desk, body, _call = town
    asked(town)
    effects.drain()
    letter = Message.objects.get(to=desk.officer, template="question_asked")
    assert "可以联合申报吗？" in letter.body and body.organisation.name not in letter.body


def test_following_is_a_choice(town: Any) -> None:
    """Twice is once; stopping stops; a visitor signs in first."""
    _desk, _body, call = town
    reader = people.person("读者")
    client, url = as_(reader), reverse("calls:follow", args=[call.code])
    client.post(url, {"act": "follow"})
    client.post(url, {"act": "follow"})
    assert Follower.objects.filter(user=reader).count() == 1
    assert "取消订阅" in text(client.get(reverse("calls:questions", args=[call.code])))
    client.post(url, {"act": "unfollow"})
    assert not Follower.objects.filter(user=reader).exists()
    assert Client().post(url).status_code == 302


def test_followers_hear_of_addenda_and_extensions(town: Any) -> None:
    """Whether or not their organisation was invited; a person who is both gets one letter."""
    desk, body, call = town
    reader = people.person("读者")
    for user in (reader, body.signatory):
        questioning.follow(call, user)
    with clock.at(DURING):
        services.extend(call, call.closes_at + DAY, by=desk.approver)
        version = services.draft_addendum(call, calls.later(call.rules, 2 * DAY), by=desk.officer)
        services.amend(call, version, by=desk.approver)
    effects.drain()
    for template in ("call_extended", "call_amended"):
        assert Message.objects.filter(to=reader, template=template).count() == 1
        assert Message.objects.filter(to=body.signatory, template=template).count() == 1


@pytest.mark.parametrize("n", [1, 8])
def test_the_page_of_answers_costs_the_same_for_one_and_for_many(n: int, town: Any) -> None:
    """Call, and answers: two questions to the database for a visitor."""
    for _ in range(n):
        released(town)
    with clock.at(DURING), CaptureQueriesContext(connection) as queries:
        page = text(Client().get(reverse("calls:questions", args=[town[2].code])))
    assert page.count("可以，最多三家。") == n
    assert len(queries) == 2, [q["sql"][:90] for q in queries]
