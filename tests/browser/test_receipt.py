"""A bidder's receipt checked in real Chromium without sending it anywhere; one changed character is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bidding import services
from bidding.services import receipts
from grants import clock, ledger
from grants.documents.files import read_file
from grants.workflow.effects import drain
from tests.browser.town import Town, Visitor
from tests.world import bidding as world
from tests.world import calls, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HERE, SERVER = "在浏览器里查验（不上传）", "由服务器查验"


def submitted() -> Any:
    desk = people.office()
    who = people.body(desk)
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    clock.set_now(world.opens(call))
    made = world.filled(call, who)
    services.submit(made, by=who.signatory, declarations=[d.code for d in made.rules.forms.declarations])
    return made, who


def test_a_receipt_is_taken_from_the_bids_page_and_checked_in_the_browser(town: Town) -> None:
    """Downloaded by the signatory; checked by a stranger: before and after the checkpoint, tampered with, without Ed25519."""
    bid, who = submitted()
    signatory, stranger = town.person(who.signatory), town.visitor()
    early = taken(signatory, bid)
    ledger.checkpoint()
    late = taken(signatory, bid)
    sent: list[str] = []
    stranger.page.on("request", lambda request: sent.append(request.method))
    stranger.go("/receipts/")
    verdict(stranger, early, "回执成立", "还没有台账证明")
    verdict(stranger, late, "回执成立", "包含证明通向签名检查点的根")
    for changed, why in tampered(late):
        verdict(stranger, changed, "回执不成立", why)
    assert "POST" not in sent, "nothing was sent to the server"
    violations = Axe().run(stranger.page).response["violations"]
    assert not violations, [v["id"] for v in violations]
    while drain():
        pass
    printed = held_pdf(bid)
    stranger.go("/receipts/")
    stranger.page.get_by_label("回执文件").set_input_files({"name": "回执.pdf", "mimeType": "application/pdf", "buffer": printed})
    stranger.page.get_by_role("button", name=HERE).click()
    expect(stranger.page.locator("#receipt-result h2")).to_contain_text("回执成立")
    stranger.page.get_by_label("回执文件").set_input_files({"name": "x.pdf", "mimeType": "application/pdf", "buffer": printed.replace(b"EmbeddedFile", b"EmbeddedFilm")})
    stranger.page.get_by_role("button", name=HERE).click()
    expect(stranger.page.locator("#receipt-result")).to_contain_text("请选择回执文件")
    assert "POST" not in sent, "the PDF was not sent either"
    without_ed25519(stranger, late)
    assert not signatory.faults and not stranger.faults


def held_pdf(bid: Any) -> bytes:
    """The printed receipt as it is stored."""
    return read_file(receipts.of_bid(bid)[0].pdf.sha256)


def taken(signatory: Visitor, bid: Any) -> str:
    signatory.go(f"/bids/{bid.pk}/versions/")
    with signatory.page.expect_download() as download:
        signatory.page.get_by_role("link", name="签名文件").click()
    path = download.value.path()
    return path.read_text(encoding="utf-8")


def tampered(text: str) -> list[tuple[str, str]]:
    found = json.loads(text)
    other = {**found["about"], "project": "被改过的项目"}
    index = found["proof"].replace("index ", "index 1", 1)
    lines = found["proof"].split("\n")
    swapped = "\n".join([*lines[:2], *lines[3:2:-1], *lines[2:3], *lines[4:]]) if len(lines) > 10 else index
    forged = found["proof"][:-6] + ("AAA" if found["proof"][-6:-3] != "AAA" else "BBB") + found["proof"][-3:]
    return [
        (json.dumps({**found, "about": other}), "签名与内容不符"),
        (json.dumps({**found, "leaf": found["leaf"].replace("bid.submit", "bid.withdraw")}), "签名与内容不符"),
        (json.dumps({**found, "key": found["key"].replace("+", "x+", 1)}), "公钥不在公钥之列"),
        (json.dumps({**found, "proof": index}), "包含证明不成立"),
        (json.dumps({**found, "proof": swapped}), "包含证明不成立"),
        (json.dumps({**found, "proof": forged}), "检查点的签名不成立"),
        (text[: len(text) // 2], "不是一张完整的回执"),
    ]


def verdict(person: Visitor, text: str, title: str, sentence: str) -> None:
    person.page.locator('[name="text"]').fill(text)
    person.page.get_by_role("button", name=HERE).click()
    expect(person.page.locator("#receipt-result h2")).to_contain_text(title)
    expect(person.page.locator("#receipt-result")).to_contain_text(sentence)
    person.look()


def without_ed25519(person: Visitor, text: str) -> None:
    """An older browser says that it cannot tell, and the server's button does."""
    person.page.add_init_script(
        "const f = SubtleCrypto.prototype.importKey;"
        "SubtleCrypto.prototype.importKey = function (...a) { return a[2].name === 'Ed25519' ? Promise.reject(new DOMException('no')) : f.apply(this, a); };"
    )
    person.go("/receipts/")
    verdict(person, text, "不能核对签名", "签名没有核对")
    person.press(SERVER)
    person.sees("服务器核对过的各项都成立")
    assert receipts.EVENTS[0] in text
