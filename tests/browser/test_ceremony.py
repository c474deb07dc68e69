"""开标人 in their browsers: keys made, the call's key made, every group rehearsed, the bids opened; no secret in what a form sends or the site keeps."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from playwright.sync_api import Browser, expect

from bidding.models import Bid, OfficerKey, SealKey
from bidding.sealing import keys
from bidding.services import ceremonies
from grants import clock
from grants.people.models import User
from tests.browser.test_accessibility import looked_at, signed_in
from tests.browser.town import Town, Visitor
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.people import Office

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEYS = reverse("bidding:officer_key")


@pytest.fixture
def desk(town: Town) -> Office:
    return people.office()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that browsers send, as the site reads it."""
    heard: list[bytes] = []
    read = HttpRequest.read

    def hear(request: HttpRequest, *args: Any, **kwargs: Any) -> bytes:
        heard.append(read(request, *args, **kwargs))
        return heard[-1]

    monkeypatch.setattr(HttpRequest, "read", hear)
    return heard


def working(person: Visitor) -> None:
    expect(person.page.locator("html[data-ceremony=ready]")).to_have_count(1)


def registered(town: Town, user: User) -> str:
    """A key made on the page; returns the passphrase as it stands on paper."""
    person = town.person(user)
    person.go(KEYS)
    working(person)
    page = person.page
    page.get_by_role("button", name="在这台电脑上生成").click()
    expect(page.locator("[data-seal-passphrase]")).not_to_be_empty()
    words = page.locator("[data-seal-passphrase]").text_content() or ""
    expect(page.get_by_role("button", name="登记这把钥匙")).to_be_disabled()
    page.locator("[data-seal-kept]").check()
    person.look()
    person.press("登记这把钥匙")
    person.done("钥匙已登记")
    return words


def turns(town: Town, call: Any, people_of: dict[str, User], words: dict[str, str], group: list[str], button: str) -> None:
    """The officers of a group one after the other, the last named first; the last button finishes."""
    for name in reversed(group):
        person = town.person(people_of[name])
        person.go(reverse("bidding:seal", args=[call.pk]))
        working(person)
        form = person.page.locator("section", has_text="、".join(group)).locator("form[data-seal=turn]")
        form.locator("[data-seal-words]").fill(words[name].upper().replace("-", " "))
        form.get_by_role("button", name=button if name == group[0] else "解开我的一层").click()
        expect(person.page.locator(".govuk-notification-banner--success")).to_be_visible()
        assert person.faults == []


def test_from_the_officers_keys_to_the_opened_bids(town: Town, desk: Office, sent: list[bytes]) -> None:
    """2 of 3. Keys, dealer, three rehearsals, one bid, the opening; nothing sent holds a passphrase or a secret but the call's own at the end."""
    clock.set_now(calls.BEFORE)
    call = calls.published(desk, world.rules("YX-2026-01"))
    offices = {"财务": desk.finance, "纪检": desk.auditor, "社区": people.person("社区监督员")}
    words = {name: registered(town, user) for name, user in offices.items()}
    dealer = town.person(desk.officer)
    dealer.go(reverse("bidding:seal", args=[call.pk]))
    working(dealer)
    dealer.type(**{f"user-{i}": str(user.pk) for i, user in enumerate(offices.values())}, **{f"name-{i}": name for i, name in enumerate(offices)})
    dealer.page.get_by_role("button", name="制作密钥").click()
    dealer.done("开标密钥已制作")
    dealer.look()
    key = SealKey.objects.get(call=call)
    for group in [list(share.group) for share in key.shares.all()]:
        turns(town, call, offices, words, group, "打开测试信封")
    key.refresh_from_db()
    assert key.state == "ready"
    whole = b"".join(sent).decode(errors="replace")
    assert not any(word.replace("-", "") in whole.replace("-", "").replace("+", "").lower() for word in words.values())
    assert "AGE-SECRET-KEY" not in whole
    clock.set_now(call.opens_at)
    calls.services.tick()
    who = people.body(desk)
    found = world.Sealed(desk, calls.fresh(call), [], SealKey.objects.get(pk=key.pk))
    bid, _copy = world.handed_in(found, who)
    closed = calls.closed(calls.fresh(call))
    clock.set_now(closed.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1))
    turns(town, call, offices, words, ["财务", "纪检"], "打开全部投标")
    assert not Bid.objects.get(pk=bid.pk).is_sealed
    town.person(desk.finance).look()


def test_a_wrong_word_or_another_officers_key_is_told_and_nothing_is_sent(town: Town, desk: Office, sent: list[bytes]) -> None:
    clock.set_now(calls.BEFORE)
    call = calls.published(desk, world.rules("YX-2026-01"))
    made = {user: keys.generate_identity() for user in (desk.finance, desk.auditor)}
    for user, identity in made.items():
        OfficerKey.objects.create(
            user=user, recipient=identity.recipient, protected=base64.b64encode(identity.protected).decode(), made_at=clock.now()
        )
    seats = [world.Seat(desk.finance, "财务"), world.Seat(desk.auditor, "纪检")]
    world.ceremonies.make_here(call, seats, by=desk.officer)
    person = town.person(desk.auditor)
    person.go(reverse("bidding:seal", args=[call.pk]))
    working(person)
    before, line = len(sent), person.page.locator("[data-seal-error]")
    for typed, told in (("", "请填写您的口令"), ("0000-0000-0000-0000-0000", "口令不对"), (made[desk.finance].passphrase, "口令不对")):
        person.page.locator("[data-seal-words]").fill(typed)
        person.page.get_by_role("button", name="解开我的一层").click()
        expect(line).to_contain_text(told)
    person.look()
    OfficerKey.objects.filter(user=desk.auditor).update(protected=base64.b64encode(made[desk.finance].protected).decode())
    person.go(reverse("bidding:seal", args=[call.pk]))
    working(person)
    person.page.locator("[data-seal-words]").fill(made[desk.finance].passphrase)
    person.page.get_by_role("button", name="解开我的一层").click()
    expect(line).to_contain_text("您的钥匙打不开这一份")
    assert len(sent) == before


def test_the_line_on_paper_is_a_key_file_for_an_officer_whose_file_the_site_does_not_keep(town: Town, desk: Office) -> None:
    """Scanned into a text file, with a line end."""
    clock.set_now(calls.BEFORE)
    call = calls.published(desk, world.rules("YX-2026-01"))
    made = {user: keys.generate_identity() for user in (desk.finance, desk.auditor)}
    for user, identity in made.items():
        OfficerKey.objects.create(user=user, recipient=identity.recipient, protected="", made_at=clock.now())
    key = world.ceremonies.make_here(call, [world.Seat(desk.finance, "财务"), world.Seat(desk.auditor, "纪检")], by=desk.officer)
    person = town.person(desk.auditor)
    person.go(reverse("bidding:seal", args=[call.pk]))
    working(person)
    line = base64.b64encode(made[desk.auditor].protected) + b"\n"
    person.page.locator("[data-seal-file]").set_input_files({"name": "paper.txt", "mimeType": "text/plain", "buffer": line})
    person.page.locator("[data-seal-words]").fill(made[desk.auditor].passphrase)
    person.page.get_by_role("button", name="解开我的一层").click()
    expect(person.page.get_by_text("已解开您的一层")).to_be_visible()
    assert key.shares.get().layer == 1


def test_an_altered_program_does_nothing_on_the_officers_pages(town: Town, desk: Office) -> None:
    person = town.person(desk.finance)
    person.page.route("**/ceremony.js", lambda route: route.fulfill(body="export const newOfficer = 1;", content_type="text/javascript"))
    person.page.goto(KEYS)
    person.page.wait_for_load_state("networkidle")
    expect(person.page.locator("[data-seal-generate]")).to_be_hidden()
    assert person.page.locator("html[data-ceremony=ready]").count() == 0


def test_axe_finds_nothing_on_the_officers_pages_and_nothing_sticks_out(chromium: Browser, town: Town, live_server: Any, desk: Office) -> None:
    """Key page, ceremony, turns of a rehearsal, the opened call and the public page: Chinese, high contrast, large on a telephone, English."""
    clock.set_now(calls.BEFORE)
    call = calls.published(desk, world.rules("YX-2026-01"))
    officers, page = world.three(desk), reverse("bidding:seal", args=[call.pk])
    looked = [(desk.finance, KEYS), (desk.officer, page)]
    sound(chromium, live_server.url, looked)
    key = ceremonies.make_here(call, [ceremonies.Seat(o.user, o.name) for o in officers], by=desk.officer)
    last = next(o for o in officers if o.name == key.shares.get(position=0).at_turn)
    public = reverse("bidding:seal_public", args=[call.code])
    sound(chromium, live_server.url, [(last.user, page), (None, public)])


def sound(chromium: Browser, address: str, looked: list[tuple[Any, str]]) -> None:
    for user, path in looked:
        context = signed_in(chromium, address, user)
        faults = looked_at(context.new_page(), path)
        context.close()
        assert faults == [], (path, faults)
