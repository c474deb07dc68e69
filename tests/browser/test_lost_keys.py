"""密钥丢失 in browsers: one reports, another declares, a bidder hands the kept copy in; every page is accessible, in both languages and on a telephone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser

from bidding.models import Bid, SealKey
from bidding.sealing.kept import pack
from grants import clock
from tests.browser.test_accessibility import looked_at, signed_in
from tests.browser.test_signing import long_ago, work
from tests.browser.town import Town, Visitor
from tests.world import people
from tests.world import sealing as world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shown_again(person: Visitor, page: str) -> None:
    """Signed in a while ago: the site asks for the password before it shows the form."""
    long_ago()
    asked = person.asked
    person.go(page)
    assert person.asked == asked + 1


def accessible(chromium: Browser, town: Town, user: Any, page: str) -> None:
    context = signed_in(chromium, town.address, user)
    tab = context.new_page()
    assert looked_at(tab, page) == []
    context.close()


def test_from_lost_keys_to_a_restored_bid(town: Town, chromium: Browser) -> None:
    found = world.ready(people.office())
    careful = people.body(found.desk)
    bid, copy = world.handed_in(found, careful)
    world.handed_in(found, people.body(found.desk), world.fields("没有留存包"))
    found = world.closed(found)
    clock.set_now(found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1))
    page, seal = reverse("bidding:seal_lost", args=[found.call.pk]), reverse("bidding:seal", args=[found.call.pk])
    officer, approver = town.person(found.desk.officer), town.person(found.desk.approver)
    officer.go(seal)
    officer.sees("凑不够人开标")
    shown_again(officer, page)
    officer.sees("还没有人报告密钥丢失")
    officer.type(offices=found.lost(1), note="财务的保险柜五月被盗，备份的钥匙文件也在里面。")
    officer.press("报告密钥丢失")
    officer.sees("请他们开标")
    officer.type(offices=found.lost(2))
    officer.press("报告密钥丢失")
    officer.done("已报告")
    custodian = town.person(found.officers[2].user)
    custodian.go(seal)
    custodian.press("查看经过并办理")
    custodian.sees("财务的保险柜")
    accessible(chromium, town, found.officers[2].user, page)
    shown_again(approver, page)
    approver.type(note="已逐一问过三名开标人。", sure=True)
    approver.press("宣布密钥丢失")
    approver.done("已宣布密钥丢失：2 份")
    work()
    assert SealKey.objects.get().is_lost
    bidder = town.person(careful.signatory)
    bidder.go(reverse("bidding:restore", args=[bid.pk]))
    bidder.sees("钥匙已经丢失")
    bidder.page.locator("main [name=kept]").set_input_files({"name": "留存包.zip", "mimeType": "application/zip", "buffer": pack(copy)})
    bidder.press("核对并恢复")
    bidder.done("已恢复")
    approver.go(page)
    approver.sees("1 份已凭留存包恢复，1 份等投标单位上传")
    approver.go(seal)
    visitor = town.visitor()
    visitor.go(reverse("bidding:seal_public", args=[found.call.code]))
    visitor.sees("够数的开标钥匙已经丢失")
    for place in (page, seal):
        accessible(chromium, town, found.desk.approver, place)
    approver.open(found.fresh())
    assert Bid.objects.get(pk=bid.pk).title == "银龄守望"
