"""A contract signed by clicks: asked again who one is, read, ticked, signed by both, taken away as a file, and verified by a stranger."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections

from grants import clock
from grants.awards.models import Award
from grants.documents.files import read_file
from grants.documents.signing import authority
from grants.workflow import effects
from tests.browser.town import Town, Visitor
from tests.world import awards as world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AGAIN = "account_authentication_methods"


def work() -> None:
    """Effects as a worker does them: in a thread of its own, since the browser's driver keeps a loop in this one."""
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            authority.refresh()
            effects.drain()
        except BaseException as error:  # noqa: BLE001 - told to the test below
            wrong.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not wrong, wrong


def long_ago() -> None:
    """Everybody's last password was given ten minutes ago."""
    for row in Session.objects.all():
        session = SessionStore(session_key=row.session_key)
        for record in session.get(AGAIN, []):
            record["at"] = time.time() - 600
        session.save()


def asks(visitor: Visitor, contract: Any, label: str) -> None:
    """Open, press, confirm who one is, read, tick, confirm."""
    long_ago()
    visitor.open(contract)
    asked = visitor.asked
    visitor.press(label)
    assert visitor.asked == asked + 1
    visitor.sees("第十三条")
    visitor.type(read=True)
    visitor.press(f"确认：{label}")
    visitor.done(f"已完成：{label}")
    visitor.sees("电子签名正在生成")


def test_both_sign_without_paper_and_a_stranger_verifies(town: Town) -> None:
    made = world.ranked(amounts=["107000.53"])
    world.proposed(made)
    (award,) = world.confirmed(made)
    contract = world.issued(award, made.desk)
    clock.set_now(world.contract_day(award))
    grantee, approver = town.person(world.signatory_of(made, award)), town.person(made.desk.approver)
    asks(grantee, contract, "乙方电子签署")
    work()
    grantee.open(contract)
    grantee.sees("待甲方签署")
    asks(approver, contract, "甲方电子签署")
    work()
    approver.open(contract)
    approver.sees("已生效")
    assert Award.objects.get(pk=award.pk).state == "active"
    contract = world.fresh(contract)
    assert contract.signed is not None
    whole = read_file(contract.signed.sha256)
    stranger = town.visitor()
    stranger.go("/verify/")
    found = Axe().run(stranger.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.response["violations"] == []
    stranger.upload({"file": ("协议.pdf", whole)})
    stranger.press("开始核验")
    for words in ("核验通过", "甲方签名有效", "乙方签名有效", "不具第三方认证效力", contract.number):
        stranger.sees(words)
    found = Axe().run(stranger.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.response["violations"] == []
    changed = bytearray(whole)
    changed[len(whole) // 3] ^= 1
    stranger.upload({"file": ("协议.pdf", bytes(changed))})
    stranger.press("开始核验")
    stranger.sees("不要相信这份文件")
