"""The page of a sealed bid as the server gives it: to whom, when, under which policy; and the weaker way without scripts."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from bidding import sealing_bundle
from bidding.models import Bid, SealedVersion
from grants import clock
from tests.stages.test_sealed_form import handed, posted
from tests.world import bidding as plain
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.people import Body
from tests.world.sealing import Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def found() -> Sealed:
    return world.ready(people.office(), "YX-2026-01")


@pytest.fixture
def who(found: Sealed) -> Body:
    made = people.body(found.desk)
    people.checked(made, found.desk, 2024, 2025)
    return made


@pytest.fixture
def bid(found: Sealed, who: Body) -> Bid:
    return world.begun(found.call, who)


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(bid: Bid, name: str = "sealed") -> str:
    return reverse(f"bidding:{name}", args=[bid.pk])


def test_the_page_names_its_scripts_with_their_hashes_and_allows_only_that_map(found: Sealed, who: Body, bid: Bid) -> None:
    with clock.at(plain.opens(found.call)):
        answer = browser(who.signatory).get(page(bid))
    html, policy = answer.content.decode(), answer["Content-Security-Policy"]
    assert sealing_bundle.import_map() in html and sealing_bundle.SRI in html
    assert policy.count("'sha256-") == 1 and "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]
    assert f'"recipient": "{found.key.recipient}"' in html and sealing_bundle.fingerprint() in html


def test_strangers_and_unsealed_bids_have_no_such_page(found: Sealed, who: Body, bid: Bid) -> None:
    second = calls.opened(found.desk, calls.rules("YX-2026-02"))
    with clock.at(plain.opens(second)):
        other = plain.started(second, who)
    with clock.at(plain.opens(found.call)):
        assert browser(people.body(found.desk).signatory).get(page(bid)).status_code == 404
        assert browser(found.desk.officer).get(page(bid)).status_code == 404
        assert browser(who.signatory).get(page(other)).status_code == 404


def test_after_the_deadline_nothing_can_be_written_any_more(found: Sealed, who: Body, bid: Bid) -> None:
    calls.closed(found.call)
    assert found.call.closes_at is not None
    with clock.at(found.call.closes_at + calls.DAY):
        answer = browser(who.signatory).get(page(bid))
    assert answer.status_code == 409


def test_who_cannot_sign_is_told_to_hand_the_draft_over(found: Sealed, who: Body, bid: Bid) -> None:
    with clock.at(plain.opens(found.call)):
        editor = people.appointed("editor", who.organisation, "王某", by=who.signatory)
        html = browser(editor).get(page(bid)).content.decode()
    assert "导出草稿" in html and "data-seal>" not in html and "formaction" not in html


def test_the_return_key_finds_no_button_and_only_one_button_sends(found: Sealed, who: Body, bid: Bid) -> None:
    """The first submit button is disabled; besides it and what no script hides, only the weaker way can post the form."""
    with clock.at(plain.opens(found.call)):
        html = browser(who.signatory).get(page(bid)).content.decode()
    form = re.sub(r"<noscript>.*?</noscript>", "", html[html.index("data-sealed data-writer") : html.index("</form>", html.index("data-sealed data-writer"))], flags=re.DOTALL)
    buttons = re.findall(r"<button type=\"submit\"[^>]*>", form)
    assert "disabled" in buttons[0]
    assert [b for b in buttons[1:] if "formaction" not in b] == []


def whole(found: Sealed, who: Body) -> tuple[dict[str, Any], Bid]:
    """A form that fills the page, as a browser without scripts posts it."""
    twin = calls.opened(found.desk, calls.from_data({**calls.rules("YX-2026-01").plain(), "code": "YX-2026-31"}))
    with clock.at(plain.opens(twin)):
        like = plain.filled(twin, who)
    data: dict[str, Any] = {}
    for name, text in posted(like):
        data.setdefault(name, []).append(text)
    for path, content in handed(like).items():
        code, name = path.split("/")
        data.setdefault(f"paper-{code}", []).append(SimpleUploadedFile(name, content))
    return {**data, "declarations": plain.pledges(found.call)}, like


def test_without_scripts_the_server_seals_and_gives_the_copy(found: Sealed, who: Body, bid: Bid) -> None:
    data, like = whole(found, who)
    with clock.at(plain.opens(found.call)):
        answer = browser(who.signatory).post(page(bid, "seal_here"), data)
    assert answer.status_code == 200, answer.context["errors"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert like.title in archive.read("manifest.json").decode()
    version = SealedVersion.objects.get()
    assert version.mode == "server" and all(content.startswith(b"age-encryption.org/v1") for content in version.sealed().files.values())
    bid.refresh_from_db()
    assert like.title not in str(vars(bid))


def test_without_scripts_gaps_are_told_and_more_rows_are_given_and_nothing_is_stored(found: Sealed, who: Body, bid: Bid) -> None:
    data, _like = whole(found, who)
    client = browser(who.signatory)
    with clock.at(plain.opens(found.call)):
        gaps = client.post(page(bid, "seal_here"), {**data, "about-title": [""]})
        more = client.post(page(bid), {**data, "more": "budget"})
        checked = client.post(page(bid), {**data, "check": "1", "about-title": [""]})
    assert (gaps.status_code, more.status_code, checked.status_code) == (422, 200, 422)
    assert "#id_about-title" in gaps.content.decode() and "#id_about-title" in checked.content.decode()
    n = int(data["budget-TOTAL_FORMS"][0])
    assert f'name="budget-{n + 2}-name"' in more.content.decode() and "error-summary__list" not in more.content.decode().split("<form", 1)[0]
    assert not SealedVersion.objects.exists()
    bid.refresh_from_db()
    assert bid.answers == {} and not bid.budget_lines.exists()


def test_who_is_not_admitted_is_told_before_writing_a_word(found: Sealed, who: Body, bid: Bid) -> None:
    """The browser gets the sentence with the page, and its check repeats it."""
    who.organisation.kind_of_body = "enterprise"
    type(who.organisation).objects.filter(pk=who.organisation.pk).update(kind_of_body="enterprise")
    with clock.at(plain.opens(found.call)):
        answer = browser(who.signatory).get(page(bid))
    assert "申报，贵单位登记为" in answer.context["page_json"]["asked"]["standing"][0]


def test_an_opened_bid_leads_to_its_pages(found: Sealed, who: Body, bid: Bid) -> None:
    Bid.objects.filter(pk=bid.pk).update(opened_at=clock.now())
    with clock.at(plain.opens(found.call)):
        assert browser(who.signatory).get(page(bid)).status_code == 302
