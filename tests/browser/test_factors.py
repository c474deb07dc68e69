"""Second factors in a real browser: a passkey on a virtual authenticator, codes from an app, and the pages of the three administrators."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from playwright.sync_api import Page, expect

from grants.people import services
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.models import Outbox
from tests.browser.test_accessibility import looked_at, signed_in
from tests.browser.town import Town, Visitor
from tests.stages.test_sign_in import code_of
from tests.world import people
from tests.world.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def strict(settings: Any) -> None:
    """As in production: a second factor is required."""
    settings.SECOND_FACTOR = True
    assert configured.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN, "http://localhost, as in a demonstration"


def authenticator(page: Page) -> tuple[Any, str]:
    """A device with a fingerprint reader that always recognises its owner (Chromium's virtual authenticator)."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    return tools, tools.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"]


def arrive(town: Town, user: User) -> Visitor:
    """Name and password on the sign-in page, whatever comes after."""
    visitor = Visitor(town, town._context(), user.username)
    visitor.go("/sign-in/")
    visitor.type(username=user.username, password=PASSWORD)
    visitor.page.get_by_role("button", name="登录", exact=True).click()
    visitor.page.wait_for_load_state()
    visitor.look()
    return visitor


def test_a_passkey_is_added_used_as_second_factor_and_then_instead_of_the_password(town: Town, strict: None) -> None:
    """By clicks alone: led to the set-up, added with a fingerprint, codes shown, signed out; then fingerprint after password, then fingerprint alone."""
    user = people.office().officer
    visitor = arrive(town, user)
    visitor.sees("请先设置第二重验证")
    visitor.go("/calls/")
    visitor.sees("请先设置第二重验证")
    _tools, device = authenticator(visitor.page)
    visitor.press("添加通行密钥")
    visitor.type(passwordless=True)
    visitor.page.get_by_role("button", name="添加", exact=True).click()
    visitor.page.wait_for_url(re.compile("recovery-codes"))
    visitor.look()
    visitor.sees("只显示这一次")
    assert len(_tools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    visitor.press("我已保存，继续")
    expect(visitor.page.locator(".gc-header__who")).to_contain_text(str(user))

    visitor.press("退出", inside=".gc-header")
    visitor.go("/sign-in/")
    visitor.type(username=user.username, password=PASSWORD)
    visitor.page.get_by_role("button", name="登录", exact=True).click()
    visitor.page.wait_for_url(re.compile("factors/authenticate"))
    visitor.look()
    visitor.page.get_by_role("button", name="用通行密钥").click()
    visitor.page.wait_for_url(f"{town.address}/")
    visitor.sees("上次登录")

    visitor.press("退出", inside=".gc-header")
    visitor.go("/sign-in/")
    visitor.page.get_by_role("button", name="用通行密钥登录").click()
    visitor.page.wait_for_url(f"{town.address}/")
    expect(visitor.page.locator(".gc-header__who")).to_contain_text(str(user))
    assert Authenticator.objects.filter(user=user, type="webauthn").count() == 1


def test_a_device_without_a_passkey_says_so_and_the_code_still_works(town: Town, strict: None) -> None:
    """The app is set up by typing its key; on a device that refuses, the page says so and the code opens the door."""
    user = people.office().finance
    visitor = arrive(town, user)
    visitor.press("设置验证器应用")
    secret = visitor.page.locator("#totp-secret").inner_text()
    expect(visitor.page.locator("main img")).to_have_js_property("complete", True)
    visitor.type(code=code_of(secret))
    visitor.press("启用")
    visitor.sees("恢复码")
    codes = visitor.page.locator(".gc-codes code").all_inner_texts()
    other = arrive(town, user)
    tools, device = authenticator(other.page)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    other.page.get_by_role("button", name="用通行密钥").click()
    expect(other.page.locator("[data-passkey-error]")).to_be_visible()
    other.type(code="123456")
    other.press("登录")
    other.sees("验证码不对")
    other.type(code=code_of(secret, time.time() + 30))
    other.press("登录")
    expect(other.page.locator(".gc-header__who")).to_contain_text(str(user))
    other.press("退出", inside=".gc-header")
    third = arrive(town, user)
    third.type(code=codes[0])
    third.press("登录")
    third.sees("上次登录")


def test_three_administrators_open_an_account_appoint_and_read_the_log_by_clicking(town: Town) -> None:
    """The system administrator opens it, its owner sets the password, the security administrator appoints, the audit administrator sees it all."""
    three, bureau = people.trio(), people.agency("云溪区民政局")
    system, security, audit = (town.person(each) for each in (three.system, three.security, three.audit))
    system.press("平台管理", inside=".gc-nav")
    system.press("账号")
    system.press("开立账号")
    system.type(username="wangfang", name="王芳", phone="13800138000")
    system.press("开立")
    system.done("账号已开立")
    link = system.page.locator(".govuk-inset-text strong").inner_text()
    owner = town.visitor()
    owner.go(link.removeprefix(town.address))
    owner.type(new_password1=PASSWORD, new_password2=PASSWORD)
    owner.press("设置密码")
    owner.done("密码已设置")
    security.go(f"/people/agency/{bureau.pk}/staff/")
    security.type(username="wangfang", role="officer")
    security.press("任命")
    security.done("已任命")
    new = User.objects.get(username="wangfang")
    security.go(f"/people/site/accounts/{new.pk}/")
    security.sees("138****8000")
    security.press("提出账号事项")
    security.type(what="dismiss", note="试一试")
    security.press("提出")
    security.sees("此人不是管理员")
    audit.go("/people/site/log/")
    audit.sees("wangfang")
    audit.sees("开立账号")
    for page in ("/people/site/", "/people/site/roles/", "/people/site/appointments/", "/people/site/requests/"):
        audit.go(page)
    system.go("/people/site/system/")
    system.sees("存储空间")
    request = services.ask_for("appoint", services.open_account(username="lin", name="林", by=three.system), by=three.system, role="audit_admin")
    security.take(request, "复核同意并办理")
    assert User.objects.get(username="lin").administers == "audit_admin"
    system.go("/people/me/visits/")
    system.sees("这一次")


def test_no_page_of_administration_or_sign_in_breaks_a_rule_of_accessibility(town: Town) -> None:
    """axe-core with the rules of WCAG 2.2 AA on each page: plain, high contrast, large on a telephone, in English."""
    three, desk = people.trio(), people.office()
    request = services.ask_for("appoint", people.vouched("新人"), by=three.system, role="audit_admin")
    Outbox.objects.create(
        task="people.verified", subject="x", object_id=desk.agency.pk, event_id=1, key="k", due_at=effects.real_now(), attempts=12,
        failed_at=effects.real_now(), error="ConnectionError: mail.example.org",
    )  # fmt: skip
    account = f"/people/site/accounts/{desk.officer.pk}/"
    pages: list[tuple[User | None, tuple[str, ...]]] = [
        (None, ("/sign-in/", "/people/forgotten/", "/people/welcome/x/y/")),
        (three.system, ("/people/site/", "/people/site/accounts/", "/people/site/accounts/new/", account, f"{account}deactivate/",
                        f"{account}ask/", "/people/site/system/", "/people/agencies/", "/account/factors/", "/people/me/visits/",
                        "/account/again/")),
        (three.security, ("/people/site/requests/", f"/o/account_request/{request.pk}/", f"/o/account_request/{request.pk}/do/confirm/")),
        (three.audit, ("/people/site/roles/", "/people/site/appointments/", "/people/site/log/")),
    ]  # fmt: skip
    faults = []
    for user, paths in pages:
        context = signed_in(town.browser, town.address, user)
        tab = context.new_page()
        for path in paths:
            faults += [f"{path}: {fault}" for fault in looked_at(tab, path)]
        context.close()
    context = signed_in(town.browser, town.address, None)
    tab = context.new_page()
    tab.goto("/sign-in/")
    tab.fill("[name=username]", desk.officer.username)
    tab.fill("[name=password]", PASSWORD)
    tab.get_by_role("button", name="登录", exact=True).click()
    for path in ("/account/factors/totp/activate/", "/account/factors/webauthn/add/"):
        faults += [f"{path}: {fault}" for fault in looked_at(tab, path)]
    assert not faults, "\n".join(faults)
