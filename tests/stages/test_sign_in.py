"""Signing in: second factors, lock-out, sessions and their limits, new devices, passwords, identities from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory, TestCase
from django.urls import reverse

from grants.notifications.models import Message
from grants.people import codes as recovery
from grants.people import factors, lockout, security, services, visits
from grants.people.models import SecurityEvent, User, Visit
from grants.people.passwords import KindsOrLength
from grants.workflow import effects
from grants.workflow.door import SYSTEM, perform
from tests.world import people
from tests.world.fresh import left_open

pytestmark = pytest.mark.django_db
SIGN_IN, HOME = reverse("desk:sign_in"), "/"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: Any) -> None:
    """A recovery code's hash costs a tenth of a second on purpose, ten times a set."""
    monkeypatch.setattr(recovery, "ROUNDS", 1)


def text(response: Any) -> str:
    return str(response.content.decode())


def sign_in(user: User, client: Client | None = None, password: str = people.PASSWORD, **more: Any) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.post(SIGN_IN, {"username": user.username, "password": password}, **more)


def in_as(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str, at: float | None = None) -> str:
    """RFC 6238, written out: six digits of HMAC-SHA1 over the number of half minutes."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def test_our_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, last six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_of(secret, at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def with_app(client: Client) -> tuple[str, list[str]]:
    """Set up an authenticator app by its pages; returns the secret and the recovery codes shown once."""
    client.get(reverse("mfa_activate_totp"))
    secret = client.session["mfa.totp.secret"]
    with TestCase.captureOnCommitCallbacks(execute=True):
        shown = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    return secret, list(shown.context["unused_codes"])


# --- the second factor --------------------------------------------------------------------------------------------------------


def needing() -> dict[str, User]:
    """One person of every kind that needs a second factor."""
    from review.models import Expert
    from tests.machines import graph
    from tests.world import calls

    desk, three = people.office(), people.trio()
    call = calls.draft(desk)
    evaluator = graph.build().actors["evaluator"]
    evaluator.set_password(people.PASSWORD)
    evaluator.save()
    expert = Expert.objects.create(user=people.person("专家"), code="E77").user
    return {
        "officer": desk.officer, "approver": desk.approver, "finance": desk.finance, "auditor": desk.auditor, "expert": expert,
        "evaluator": evaluator, "operator": people.appointed("operator", call), "observer": people.appointed("observer", call),
        "system": three.system, "security": three.security, "audit": three.audit,
    }  # fmt: skip


def test_whoever_acts_for_the_public_or_judges_needs_one_and_applicants_do_not(settings: Any) -> None:
    """And whoever needs it and has none is led to the set-up; nothing else opens, not even a public page."""
    settings.SECOND_FACTOR = True
    for name, user in needing().items():
        assert factors.needs(user), name
        client, answer = sign_in(user)
        assert answer.status_code == 302, name
        for page in (HOME, reverse("people:profile"), reverse("notifications:inbox"), "/calls/"):
            assert client.get(page)["Location"] == reverse("people:factor_owed"), (name, page)
    founder = people.body(people.office()).signatory
    assert not factors.needs(founder)
    client, _answer = sign_in(founder)
    assert client.get(HOME).status_code == 200
    assert client.get(reverse("people:factor_owed"))["Location"] == HOME


def test_a_demonstration_asks_for_none(settings: Any) -> None:
    """SECOND_FACTOR is off there; the same person walks in with a password."""
    assert settings.DEMO and not settings.SECOND_FACTOR
    client, _answer = sign_in(people.office().officer)
    assert client.get(HOME).status_code == 200


def test_an_appointment_during_a_session_makes_the_factor_due_at_the_next_click(settings: Any) -> None:
    """Not at the next sign-in: the roles count from the moment they are given."""
    settings.SECOND_FACTOR = True
    user = people.person()
    client, _answer = sign_in(user)
    assert client.get(HOME).status_code == 200
    services.appoint(user, "officer", people.agency(), by=SYSTEM)
    assert client.get(HOME)["Location"] == reverse("people:factor_owed")


def test_an_app_is_set_up_and_asked_for_from_then_on(settings: Any) -> None:
    """The way through: set up, codes shown once, home opens; next time the password alone opens nothing."""
    settings.SECOND_FACTOR = True
    user = people.office().officer
    client, _answer = sign_in(user)
    secret, codes = with_app(client)
    assert len(codes) == 10 and client.get(HOME).status_code == 200
    assert "不能再看" in text(client.get(reverse("mfa_view_recovery_codes")))
    kept = Authenticator.objects.get(user=user, type="totp").data["secret"]
    assert secret not in kept, "the seed is encrypted"
    other, answer = sign_in(user)
    assert answer["Location"] == reverse("mfa_authenticate") and not in_as(other)
    assert other.get(HOME).context["user"].is_authenticated is False
    wrong = other.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "验证码不对" in text(wrong) and not in_as(other)
    done = other.post(reverse("mfa_authenticate"), {"code": code_of(secret, time.time() + 30)})
    assert done.status_code == 302 and in_as(other)
    assert other.get(HOME).status_code == 200
    assert {"factor_added", "factor_failed", "signed_in"} <= set(SecurityEvent.objects.filter(person=user.pseudonym).values_list("kind", flat=True))
    assert Message.objects.filter(to=user, template="people/factor_changed").exists()


def test_a_code_and_a_recovery_code_work_once(settings: Any) -> None:
    """A watched code is worth nothing, in whatever process it is tried again."""
    user = people.office().officer
    client, _answer = sign_in(user)
    secret, codes = with_app(client)
    code = code_of(secret, time.time() + 30)
    first, second = sign_in(user)[0], sign_in(user)[0]
    first.post(reverse("mfa_authenticate"), {"code": code})
    from django.core.cache import cache

    cache.clear()  # another web process has another cache
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert in_as(first) and not in_as(second)
    second.post(reverse("mfa_authenticate"), {"code": codes[0]})
    third = sign_in(user)[0]
    third.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert in_as(second) and not in_as(third)


def test_recovery_codes_are_kept_as_salted_hashes_that_open_nothing_themselves() -> None:
    """A copy of the database, even with the key of the seeds, gives no code; what stands in it is no code either; another's codes are not mine."""
    user, other = people.office().officer, people.person()
    client, _answer = sign_in(user)
    _secret, codes = with_app(client)
    others = with_app(sign_in(other)[0])[1]
    held = recovery.of(user)
    assert held is not None and set(held.data) == {"migrated_codes", "hashes", "salt", "rounds", "viewed_at"}
    assert held.wrap().get_unused_codes() == [] and not any(code in json.dumps(held.data) for code in codes)
    assert len(codes) == len(set(codes)) == len(set(held.data["hashes"])) == 10
    theirs = recovery.of(other)
    assert theirs is not None and theirs.data["salt"] != held.data["salt"]
    for wrong in (held.data["hashes"][0], held.data["hashes"][0][:8], others[0], "12345678", "", "１２３４５６７８"):
        assert recovery.take(user, wrong) is None
    assert recovery.take(user, f" {codes[3][:4]}-{codes[3][4:]} ") is not None
    assert recovery.take(user, codes[3]) is None and recovery.left(recovery.of(user)) == 9
    assert "还剩 9 个" in text(client.get(reverse("mfa_index")))


def test_new_recovery_codes_are_shown_once_and_end_the_old_ones() -> None:
    """Nothing is shown to a HEAD, and nobody who has none is shown any."""
    user = people.person()
    client, _answer = sign_in(user)
    page, again = reverse("mfa_view_recovery_codes"), reverse("mfa_generate_recovery_codes")
    assert client.get(page).status_code == 404
    _secret, old = with_app(client)
    assert "现有 10 个" in text(client.get(again))
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(again)
    held = recovery.of(user)
    assert held is not None and held.data == {"migrated_codes": []}, "the library's seed is gone before anybody looks"
    assert client.head(page).status_code == 405
    first = client.get(page)
    new = list(first.context["unused_codes"])
    assert len(new) == 10 and not set(new) & set(old) and "no-store" in first["Cache-Control"]
    later = client.get(page)
    assert "不能再看" in text(later) and not any(code in text(later) for code in new)
    assert recovery.take(user, old[0]) is None and recovery.take(user, new[0]) is not None


def test_recovery_codes_from_before_go_on_working_after_the_upgrade() -> None:
    """Unused ones that were shown are hashed; used ones stay used; a seed nobody saw is thrown away, and so is one whose key is lost."""
    from importlib import import_module

    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from django.apps import apps

    shown, unseen, lost = (people.person(name) for name in ("见过", "没看", "丢钥"))
    before = {user.pk: RecoveryCodes.activate(user) for user in (shown, unseen, lost)}
    codes = before[shown.pk].generate_codes()
    for user in (shown, lost):
        before[user.pk].mark_as_viewed()
    before[shown.pk].validate_code(codes[0])
    Authenticator.objects.filter(user=lost).update(data={"seed": "gAAAA", "used_mask": 0, "viewed_at": 1.0})
    import_module("grants.people.migrations.0011_codes_hashed").hashed(apps, None)
    assert [recovery.left(recovery.of(user)) for user in (shown, unseen, lost)] == [9, 0, 0]
    assert recovery.take(shown, codes[0]) is None and recovery.take(shown, codes[1]) is not None
    assert "seed" not in json.dumps([row.data for row in Authenticator.objects.all()])
    assert recovery.made(unseen) is not None, "shown at the next visit of the page"


def test_five_wrong_codes_lock_the_second_factor_until_a_security_administrator_lifts_it() -> None:
    """Also for the right code, from whatever browser; the other persons are not held up."""
    three, desk = people.trio(), people.office()
    user = desk.officer
    client, _answer = sign_in(user)
    _secret, codes = with_app(client)
    other = sign_in(user)[0]
    for _n in range(5):
        other.post(reverse("mfa_authenticate"), {"code": "111111"})
    elsewhere = sign_in(user)[0]
    assert "次数过多" in text(elsewhere.post(reverse("mfa_authenticate"), {"code": codes[0]})) and not in_as(elsewhere)
    assert SecurityEvent.objects.filter(kind="locked", person=user.pseudonym, detail="second-factor").count() == 1
    services.unlock(user, by=three.security)
    elsewhere.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert in_as(elsewhere)


def test_the_last_factor_of_somebody_who_needs_it_stays(settings: Any) -> None:
    """Refused with the way out; an applicant may take theirs away."""
    settings.SECOND_FACTOR = True
    for user, stays in ((people.office().officer, True), (people.person(), False)):
        client, _answer = sign_in(user)
        with_app(client)
        answer = client.post(reverse("mfa_deactivate_totp"))
        assert Authenticator.objects.filter(user=user, type="totp").exists() is stays
        assert ("不能移除最后一种" in text(answer)) is stays


def test_setting_up_a_factor_asks_for_the_password_again_after_a_while() -> None:
    """A session left open is not enough to bind somebody else's telephone."""
    client = Client()
    client.force_login(people.person())
    left_open(client, minutes=16)
    answer = client.get(reverse("mfa_activate_totp"))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    page = client.get(answer["Location"])
    assert "请再确认一次" in text(page)
    again = client.post(answer["Location"], {"password": people.PASSWORD, "next": reverse("mfa_activate_totp")})
    assert again["Location"] == reverse("mfa_activate_totp")
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_the_factor_pages_are_ours_in_both_languages() -> None:
    """Chinese and English, with our header and our policy; nothing of the library's own pages."""
    client, _answer = sign_in(people.person())
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"):
        page = client.get(reverse(name))
        assert page.status_code == 200 and "gc-header" in text(page) and "unsafe" not in page["Content-Security-Policy"]
    client.cookies["django_language"] = "en"
    assert "Second factor" in text(client.get(reverse("mfa_index")))
    assert Client().get("/account/signup/").status_code == 404
    assert Client().get("/account/password/reset/").status_code == 404


# --- passwords and their lock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("Wanghu-2026", True), ("wanghu-2026", True), ("wanghulinli", False), ("wanghu2026", False), ("WANGHU2026", False),
        ("望湖社区的邻里互助从今年春天开始啦", True), ("aaaaaaaaaaaaaaaaaaaa", False), ("三月的风吹过 wanghu", False),
    ],
)  # fmt: skip
def test_a_password_has_three_kinds_or_is_a_sentence(password: str, fine: bool) -> None:
    if fine:
        KindsOrLength().validate(password)
    else:
        with pytest.raises(ValidationError, match="三种"):
            KindsOrLength().validate(password)


def test_five_wrong_passwords_lock_name_and_address_and_can_be_lifted() -> None:
    """Another address still gets in; the log has five failures and one lock, with the account and never what was typed."""
    three, user = people.trio(), people.person()
    for _n in range(5):
        sign_in(user, password="wrong", REMOTE_ADDR="203.0.113.7")
    locked, answer = sign_in(user, REMOTE_ADDR="203.0.113.7")
    assert not in_as(locked) and "次数过多" in text(answer)
    assert in_as(sign_in(user, REMOTE_ADDR="203.0.113.8")[0])
    kinds = list(SecurityEvent.objects.filter(person=user.pseudonym).values_list("kind", flat=True))
    assert kinds.count("failed") == 5 and kinds.count("locked") == 1
    services.unlock(user, by=three.security)
    assert in_as(sign_in(user, REMOTE_ADDR="203.0.113.7")[0])


def test_somebody_unknown_is_logged_without_what_was_typed() -> None:
    Client().post(SIGN_IN, {"username": "Gongchuang-oops-typed-here", "password": "x"})
    line = SecurityEvent.objects.get(kind="failed")
    assert line.person is None and "oops" not in str(line.__dict__)


def test_a_lock_runs_out_by_itself(monkeypatch: Any) -> None:
    from grants import clock

    user, request = people.person(), RequestFactory().post("/", REMOTE_ADDR="203.0.113.7")
    noon = datetime(2026, 3, 2, 4, tzinfo=UTC)
    with clock.at(noon):
        for _n in range(5):
            lockout.password_failed(request, user.username)
        assert lockout.password_locked(request, user.username)
    with clock.at(noon + timedelta(minutes=14, seconds=59)):
        assert lockout.password_locked(request, user.username)
    with clock.at(noon + timedelta(minutes=15)):
        assert not lockout.password_locked(request, user.username)


def test_a_forgotten_password_is_set_again_by_a_link_to_the_mailbox(mailoutbox: Any) -> None:
    """Once, for an active account with a password; sessions end; whoever asks for an unknown address is told the same."""
    user = people.person()
    here = sign_in(user)[0]
    known = Client().post(reverse("people:forgotten"), {"email": user.email}, follow=True)
    unknown = Client().post(reverse("people:forgotten"), {"email": "nobody@example.org"}, follow=True)
    assert "链接已经发出" in text(known) and "链接已经发出" in text(unknown) and len(mailoutbox) == 1
    assert not Message.objects.filter(to=user).exists(), "a secret is kept in no table"
    link = next(line for line in mailoutbox[0].body.splitlines() if line.startswith("http")).removeprefix("http://testserver")
    visitor = Client()
    form = visitor.get(link, follow=True).redirect_chain[-1][0]
    new = "Wanghu-linli-2028"
    visitor.post(form, {"new_password1": new, "new_password2": new})
    assert User.objects.get(pk=user.pk).check_password(new)
    assert not here.get(HOME).context["user"].is_authenticated
    assert "已经失效" in text(Client().get(link, follow=True))


def test_a_mailbox_alone_opens_no_account_that_has_a_second_factor(mailoutbox: Any) -> None:
    user = people.person()
    with_app(sign_in(user)[0])
    Client().post(reverse("people:forgotten"), {"email": user.email})
    link = next(line for line in mailoutbox[0].body.splitlines() if line.startswith("http")).removeprefix("http://testserver")
    thief = Client()
    thief.post(thief.get(link, follow=True).redirect_chain[-1][0], {"new_password1": "Wanghu-linli-2029", "new_password2": "Wanghu-linli-2029"})
    assert sign_in(user, thief, "Wanghu-linli-2029")[1]["Location"] == reverse("mfa_authenticate") and not in_as(thief)


def test_a_deactivated_account_and_one_without_a_password_get_no_link(mailoutbox: Any) -> None:
    three = people.trio()
    gone = people.person()
    services.deactivate(gone, because="x", by=three.system)
    services.open_account(username="new", name="新", email="new@example.org", by=three.system)
    for address in (gone.email, "new@example.org"):
        Client().post(reverse("people:forgotten"), {"email": address})
    assert mailoutbox == []


# --- sessions ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch: Any) -> Any:
    """Let the machine's own time pass for visits."""
    now = [effects.real_now()]
    monkeypatch.setattr(visits, "real_now", lambda: now[0])

    def pass_by(**time_passed: float) -> None:
        now[0] += timedelta(**time_passed)

    return pass_by


def test_staff_are_signed_out_after_half_an_hour_of_nothing_and_come_back_to_the_same_page(later: Any) -> None:
    """29 minutes between clicks are fine all morning; 31 are not. Applicants, who write long texts, have no idle limit."""
    officer = sign_in(people.office().officer)[0]
    for _n in range(4):
        later(minutes=29)
        assert officer.get(HOME).context["user"].is_authenticated
    later(minutes=31)
    answer = officer.get("/people/me/?tab=1")
    assert answer["Location"] == "/sign-in/?next=%2Fpeople%2Fme%2F%3Ftab%3D1"
    assert "30 分钟没有操作" in text(officer.get(answer["Location"]))
    assert SecurityEvent.objects.filter(kind="expired", detail="idle").count() == 1
    assert Visit.objects.get().ended_how == "idle"
    applicant = sign_in(people.body(people.office()).signatory)[0]
    later(hours=3)
    assert applicant.get(HOME).context["user"].is_authenticated


def test_everybody_is_signed_out_after_twelve_hours(later: Any) -> None:
    client = sign_in(people.person())[0]
    for _n in range(24):
        later(minutes=29)
        assert client.get(HOME).context["user"].is_authenticated
    later(minutes=29)
    assert client.get(HOME).status_code == 302
    assert Visit.objects.get().ended_how == "too_long"


def test_a_script_that_saves_by_itself_is_told_401_and_keeps_what_it_holds(later: Any) -> None:
    """Not a redirect to a page that it would take for an answer."""
    client = sign_in(people.office().officer)[0]
    later(minutes=31)
    answer = client.post("/people/me/", {"name": "x"}, headers={"Sec-Fetch-Dest": "empty", "Referer": "http://testserver/people/me/"})
    assert answer.status_code == 401 and answer.json()["error"] == "signed_out"
    assert answer.json()["sign_in"].startswith(SIGN_IN)


def test_staff_have_three_sessions_at_once_and_the_oldest_ends(settings: Any, later: Any) -> None:
    user = people.office().officer
    clients = []
    for _n in range(4):
        later(seconds=1)
        clients.append(sign_in(user)[0])
    assert [c.get(HOME).context["user"].is_authenticated for c in clients] == [False, True, True, True]
    assert Visit.objects.get(ended_how="too_many")
    applicant = people.person()
    many = [sign_in(applicant)[0] for _n in range(4)]
    assert all(c.get(HOME).context["user"].is_authenticated for c in many)


def test_a_person_sees_and_ends_their_sessions_and_nobody_elses() -> None:
    """One, all others, and not a stranger's."""
    user, stranger = people.person(), people.person()
    here, there, third = sign_in(user)[0], sign_in(user)[0], sign_in(user)[0]
    page = text(here.get(reverse("people:visits")))
    assert page.count("这一次") == 1
    foreign = sign_in(stranger)[0]
    visit = Visit.objects.filter(user=user).order_by("pk")[1]
    assert foreign.post(reverse("people:end_visit", args=[visit.pk])).status_code == 404
    here.post(reverse("people:end_visit", args=[visit.pk]))
    assert [c.get(HOME).context["user"].is_authenticated for c in (here, there, third)] == [True, False, True]
    here.post(reverse("people:end_other_visits"))
    assert [c.get(HOME).context["user"].is_authenticated for c in (here, third, foreign)] == [True, False, True]


def test_a_changed_password_ends_the_sessions_elsewhere_and_keeps_this_one() -> None:
    user = people.person()
    here, there = sign_in(user)[0], sign_in(user)[0]
    new = "Wanghu-linli-2027"
    here.post(reverse("people:password"), {"old_password": people.PASSWORD, "new_password1": new, "new_password2": new})
    assert [c.get(HOME).context["user"].is_authenticated for c in (here, there)] == [True, False]
    assert text(here.get(reverse("people:visits"))).count("这一次") == 1
    assert SecurityEvent.objects.filter(kind="password", person=user.pseudonym).exists()


def test_a_new_device_is_told_by_letter_and_the_last_sign_in_is_shown() -> None:
    """Not at the first sign-in of a life, not for a browser that was here before; the letter has no whole address."""
    user = people.person()
    chrome = {"HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/120 Safari"}
    home, answer = sign_in(user, **chrome)
    assert "上次登录" not in text(home.get(answer["Location"]))
    home.post(reverse("desk:sign_out"))
    home, answer = sign_in(user, home, **chrome)
    assert "上次登录" in text(home.get(answer["Location"])) and "Chrome · Windows" in text(home.get(reverse("people:visits")))
    assert not Message.objects.filter(template="people/new_device").exists()
    sign_in(user, HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Safari", REMOTE_ADDR="203.0.113.9")
    letter = Message.objects.get(to=user, template="people/new_device")
    assert "Safari · iPhone" in letter.body and "203.0.113.x" in letter.body and "203.0.113.9" not in letter.body
    assert home.cookies["device"]["httponly"] and home.cookies["device"]["samesite"] == "Lax"


@pytest.mark.parametrize(("address", "network"), [("203.0.113.7", "203.0.113.x"), ("2001:db8:7:1::5", "2001:db8:7::/48"), ("", ""), ("unix", "")])
def test_addresses_are_shortened(address: str, network: str) -> None:
    assert security.network_of(address) == network
    assert not address or address not in security.mark_of(address)


def test_a_half_finished_sign_in_opens_nothing_and_can_be_left() -> None:
    user = people.person()
    client = sign_in(user)[0]
    with_app(client)
    half = sign_in(user)[0]
    assert half.get(reverse("people:profile")).status_code == 302
    half.post(reverse("account_logout"))
    assert half.get(reverse("mfa_authenticate"))["Location"].startswith("/account/sign-in/")


# --- an identity from elsewhere -----------------------------------------------------------------------------------------------


class Issuer(BaseHTTPRequestHandler):
    """A small OpenID Connect provider: discovery, keys, token. It says who signs in by `server.subject`."""

    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if self.path == self.server.moved:  # type: ignore[attr-defined]
            self.send_response(302)
            self.send_header("Location", f"{base}/inside")
            self.end_headers()
            return
        pages = {
            "/.well-known/openid-configuration": {
                "issuer": base, "authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys", "userinfo_endpoint": f"{base}/me", "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
            "/keys": {"keys": [self.server.public_key]},  # type: ignore[attr-defined]
        }  # fmt: skip
        self._say(pages.get(self.path))

    def do_POST(self) -> None:
        import jwt

        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        server: Any = self.server
        server.asked.append(form)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
        if form["client_secret"] != ["kept-secret"] or challenge != server.challenge:
            self._say(None)
            return
        base = f"http://127.0.0.1:{server.server_port}"
        claims = {"iss": server.says_issuer or base, "aud": server.says_audience, "sub": server.subject, "iat": int(time.time()),
                  "exp": int(time.time()) + 300, "email": "officer@example.org", "email_verified": True, "name": "某某"}  # fmt: skip
        claims = {**claims, "nonce": server.nonce, **server.says}
        token = jwt.encode({name: value for name, value in claims.items() if value is not None}, server.private_key, algorithm="RS256", headers={"kid": "k1"})
        self._say({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    def _say(self, page: Any) -> None:
        body = json.dumps(page or {"error": "no"}).encode()
        self.send_response(200 if page else 400)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def issuer(settings: Any) -> Iterator[Any]:
    """The provider on loopback, and our settings as the environment would make them."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from jwt.algorithms import RSAAlgorithm

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    server.private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server.public_key = {**json.loads(RSAAlgorithm.to_jwk(server.private_key.public_key())), "kid": "k1", "alg": "RS256", "use": "sig"}
    server.seen, server.moved, server.nonce, server.says = [], "", "", {}
    server.subject, server.asked, server.says_issuer, server.says_audience, server.challenge = "sub-1", [], "", "site", ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OIDC_ISSUER = f"http://127.0.0.1:{server.server_port}"
    app = {"provider_id": "oidc", "name": "区统一认证", "client_id": "site", "secret": "kept-secret",
           "settings": {"server_url": settings.OIDC_ISSUER, "fetch_userinfo": False}}  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS": [app]}}
    yield server
    server.shutdown()
    server.server_close()


def from_elsewhere(issuer: Any, client: Client | None = None, state: str = "") -> tuple[Client, Any]:
    """Press the button, be sent to the provider, come back with a code."""
    client = client or Client()
    sent = client.get(reverse("openid_connect_login", args=["oidc"]))
    asked = parse_qs(urlsplit(sent["Location"]).query)
    issuer.challenge, issuer.nonce = asked["code_challenge"][0], asked["nonce"][0]
    assert asked["redirect_uri"] == ["http://testserver/account/elsewhere/oidc/login/callback/"]
    return client, client.get(reverse("openid_connect_callback", args=["oidc"]), {"code": "c", "state": state or asked["state"][0]})


def linked(user: User) -> None:
    three = people.trio()
    request = services.ask_for("identity", user, by=three.system, identity="sub-1", note="工作证核对")
    perform(request, "confirm", by=three.security)


def test_without_an_issuer_there_is_no_such_sign_in() -> None:
    """No button, no address."""
    assert "elsewhere" not in text(Client().get(SIGN_IN))
    assert Client().get(reverse("openid_connect_login", args=["oidc"])).status_code == 404


def test_an_identity_linked_by_two_administrators_signs_in(issuer: Any) -> None:
    """And nothing of the foreign profile is kept."""
    user = people.person()
    linked(user)
    assert "elsewhere/oidc/login" in text(Client().get(SIGN_IN))
    client, answer = from_elsewhere(issuer)
    assert answer.status_code == 302 and client.session["_auth_user_id"] == str(user.pk)
    assert SocialAccount.objects.get().extra_data == {}
    assert SecurityEvent.objects.filter(kind="linked", person=user.pseudonym).exists()


def test_an_unknown_identity_opens_and_makes_nothing_even_with_a_known_address(issuer: Any) -> None:
    """An e-mail address is no proof: the account with the same one stays closed."""
    people.person("同邮箱", phone="")
    User.objects.update(email="officer@example.org")
    before = User.objects.count()
    client, answer = from_elsewhere(issuer)
    assert answer.status_code == 403 and "没有绑定" in text(answer)
    assert not in_as(client) and User.objects.count() == before and not SocialAccount.objects.exists()
    assert SecurityEvent.objects.filter(kind="unknown_identity").count() == 1


def test_nobody_links_their_own_identity_by_signing_in_there(issuer: Any) -> None:
    """A signed-in person who comes back from the provider is refused as well."""
    client = sign_in(people.person())[0]
    _client, answer = from_elsewhere(issuer, client)
    assert answer.status_code in (302, 403) and not SocialAccount.objects.exists()


def test_a_linked_identity_is_still_asked_for_its_second_factor(issuer: Any) -> None:
    user = people.person()
    with_app(sign_in(user)[0])
    linked(user)
    client, answer = from_elsewhere(issuer)
    assert answer["Location"] == reverse("mfa_authenticate") and not in_as(client)


@pytest.mark.parametrize("fault", ["state", "issuer", "audience", "secret"])
def test_a_forged_answer_opens_nothing(issuer: Any, fault: str, settings: Any) -> None:
    """A foreign state, a token by another issuer or for another site, a wrong client secret."""
    linked(people.person())
    if fault == "issuer":
        issuer.says_issuer = "https://evil.invalid"
    if fault == "audience":
        issuer.says_audience = "another-site"
    if fault == "secret":
        settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["secret"] = "guess"
    client, answer = from_elsewhere(issuer, state="forged" if fault == "state" else "")
    assert not in_as(client) and answer.status_code in (200, 401, 403)
    assert "没有登录成功" in text(answer)


@pytest.mark.parametrize("nonce", [None, "", 7, "of-another-request"])
def test_a_token_without_this_requests_nonce_opens_nothing(issuer: Any, nonce: Any) -> None:
    """Properly signed, for this site and in time, but of another sign-in: absent, empty, no text, foreign. Nothing of the profile is kept."""
    linked(people.person())
    issuer.says = {"nonce": nonce}
    client, answer = from_elsewhere(issuer)
    assert "没有登录成功" in text(answer) and not in_as(client)
    assert SocialAccount.objects.get().extra_data == {}


def test_every_request_has_a_nonce_of_its_own_and_takes_nothing_from_the_visitors_address(issuer: Any) -> None:
    """A link that somebody was sent adds no parameter and no scope to what the provider is asked."""
    address = reverse("openid_connect_login", args=["oidc"])
    evil = {"auth_params": "nonce=mine&state=mine&redirect_uri=https://evil.invalid/", "scope": "everything"}
    asked = [parse_qs(urlsplit(Client().get(address, evil)["Location"]).query) for _n in range(2)]
    assert asked[0]["nonce"] != asked[1]["nonce"] and min(len(one["nonce"][0]) for one in asked) >= 32
    assert "mine" not in str(asked) and "evil" not in str(asked) and "everything" not in str(asked)


@pytest.mark.parametrize("page", ["/.well-known/openid-configuration", "nowhere"])
def test_a_provider_that_sends_us_elsewhere_or_is_away_is_a_page_and_no_other_address_is_asked(issuer: Any, page: str, settings: Any, caplog: Any) -> None:
    """No redirect is followed; the log says why, for whoever set the provider up."""
    issuer.moved = page
    if page == "nowhere":
        settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:9"
    answer = Client().get(reverse("openid_connect_login", args=["oidc"]))
    assert "没有登录成功" in text(answer) and "/inside" not in issuer.seen
    assert "sign-in elsewhere failed" in caplog.text


def test_a_deactivated_account_is_not_opened_from_elsewhere(issuer: Any) -> None:
    user = people.person()
    linked(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    client, answer = from_elsewhere(issuer)
    assert answer.status_code == 403 and "已停用" in text(answer) and not in_as(client)
