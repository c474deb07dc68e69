"""Small promises of docs/asvs.md that no other test looks at: cookies, logs, passwords, secrets, scripts, hashes, and the tables that documents keep."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import global_settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from grants.calls.needs.models import new_receipt
from grants.config import settings as module
from grants.ledger.models import AuditEvent
from grants.notifications.services import compose
from grants.people.models import SecurityEvent, Visit
from grants.people.passwords import NotOurWords
from grants.vault.columns import Secret
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotYou
from tests.platform.test_settings import STRONG, VAULT_KEY, start
from tests.world import calls, people

ROOT = Path(__file__).resolve().parents[2]
SECURITY = (ROOT / "docs/security.md").read_text("utf-8")
OURS = [path for top in ("grants", "bidding", "review") for path in (ROOT / top).rglob("*.py") if "migrations" not in path.parts]
SCRIPTS = [
    path for top in ("grants", "bidding", "review") for path in (ROOT / top).glob("**/static/**/*.js") if ".min." not in path.name
]
COOKIES = ("SESSION", "CSRF", "DEVICE", "DISPLAY", "LANGUAGE")
SAY = """
import json, django; django.setup()
from django.conf import settings
names = %r
print(json.dumps({name: [getattr(settings, name + "_COOKIE_" + what, None) for what in ("NAME", "SECURE", "HTTPONLY", "SAMESITE")] for name in names}))
print([v["NAME"] for v in settings.AUTH_PASSWORD_VALIDATORS])
"""


# --- the browser ----------------------------------------------------------------------------------------------------------------


def test_every_cookie_of_production_is_secure_and_bound_to_this_host(tmp_path: Path) -> None:
    """Five cookies, all `__Host-`; a sixth would have to be named in COOKIES, for only names from the settings are ever set."""
    variables = {
        "SECRET_KEY": STRONG,
        "ALLOWED_HOSTS": "grants.example.org",
        "GONGCHUANG_VAULT_KEY": VAULT_KEY,
        "BEHIND_TLS_PROXY": "1",
    }
    said = start(tmp_path / "home", "-c", SAY % (COOKIES,), DJANGO_SETTINGS_MODULE="grants.config.settings", **variables)
    cookies, validators = said.stdout.splitlines()[-2:]
    found = json.loads(cookies)
    assert "NotOurWords" in validators, "the demonstration alone goes without"
    assert all(name.startswith("__Host-") for name, *_rest in found.values())
    assert all(found[name][1:] == [True, True, "Lax"] for name in ("SESSION", "CSRF", "LANGUAGE"))
    set_by_us = [m for path in OURS for m in re.findall(r"\.set_(?:signed_)?cookie\((.*)", path.read_text("utf-8"))]
    assert len(set_by_us) == 3
    assert all(re.match(r"settings\.(LANGUAGE|DISPLAY)_COOKIE_NAME|$", given) for given in set_by_us), set_by_us


def test_no_script_of_ours_writes_html() -> None:
    """Texts are put into pages as texts."""
    danger = re.compile(
        r"\.(inner|outer)HTML\s*\+?=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTMLUnsafe|addEventListener\(.message"
    )
    assert len(SCRIPTS) > 20
    assert [f"{path.name}: {m.group()}" for path in SCRIPTS for m in danger.finditer(path.read_text("utf-8"))] == []


@pytest.mark.django_db
def test_every_password_field_is_masked_and_can_be_pasted_into() -> None:
    """No script stands in the way, and `autocomplete` tells a password manager which password is meant."""
    client = Client()
    client.force_login(people.person())
    pages = [
        Client().get(reverse("desk:sign_in")),
        Client().get(reverse("people:sign_up")),
        client.get(reverse("people:password")),
        client.get(reverse("account_reauthenticate")),
    ]
    fields = [field for page in pages for field in re.findall(r'<input[^>]*(?:type="password"|name="[^"]*password[^"]*")[^>]*>', page.content.decode())]
    assert len(fields) >= 7
    for field in fields:
        assert 'type="password"' in field and "onpaste" not in field and "maxlength" not in field
        assert re.search(r'autocomplete="(current|new)-password"', field), field
    assert not [path.name for path in SCRIPTS if re.search(r"password.*paste|paste.*preventDefault", path.read_text("utf-8"))]


@pytest.mark.django_db
def test_a_folder_of_static_files_is_not_listed(client: Client) -> None:
    assert {client.get(place).status_code for place in ("/static/", "/static/web/", "/files/", "/media/", "/.git/config")} == {
        404
    }


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["/", "/sign-in/", "/square/", "/account/again/", "/open/", "/no-such-page/"])
def test_trace_is_not_answered(client: Client, place: str) -> None:
    """No page gives back what a request said."""
    answer = client.generic("TRACE", place, "body-of-the-trace", HTTP_X_SECRET="header-of-the-trace")
    assert answer.status_code in (302, 403, 404, 405)
    assert b"of-the-trace" not in answer.content


# --- passwords and sessions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("Gongchuang-2026", True), ("公创Abc-2026", True), ("admin-Password-1", True), ("望湖街道-2026!", True), ("白鹭区民政局公益创投2026", True),
        ("yunxi-Chuangtou-2026", False), ("Wanghu-linli-2028", False), ("望湖社区的邻里互助从今年春天开始啦", False),
    ],
)  # fmt: skip
def test_a_password_made_of_the_sites_own_words_is_refused(password: str, refused: bool, settings: Any) -> None:
    """Its own words with a year are what anybody tries first; a password that has something else besides is fine."""
    settings.SITE_AGENCY = {**settings.SITE_AGENCY, "organiser": "白鹭区民政局"}
    settings.SITE_NAME = "望湖"
    if not refused:
        NotOurWords().validate(password)
        return
    with pytest.raises(ValidationError, match="容易猜到"):
        NotOurWords().validate(password)


@pytest.mark.django_db
def test_a_long_password_is_taken_whole_and_exactly() -> None:
    """A hundred characters with blanks at its ends: nothing is cut, trimmed or changed."""
    user, long = people.person(), "  " + "一句很长很长的话 Aa1" * 8 + " "
    validate_password(long, user)
    user.set_password(long)
    user.save()
    for given, enters in ((long, True), (long[:64], False), (long.strip(), False), (long.lower(), False)):
        browser = Client()
        browser.post(reverse("desk:sign_in"), {"username": user.username, "password": given})
        assert ("_auth_user_id" in browser.session) is enters


def test_passwords_are_kept_by_a_slow_hash() -> None:
    """Django's own first choice, with its current rounds: the settings choose none, and the tests' fast one is the tests' alone."""
    assert not hasattr(module, "PASSWORD_HASHERS")
    assert global_settings.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.PBKDF2PasswordHasher"


@pytest.mark.django_db
def test_showing_who_one_is_gives_the_session_a_new_key() -> None:
    """The old key is dead, the visit goes on under the new one, and the person stays signed in."""
    user, client = people.person(), Client()
    client.post(reverse("desk:sign_in"), {"username": user.username, "password": people.PASSWORD})
    before = client.session.session_key
    client.post(f"{reverse('account_reauthenticate')}?next=/people/me/", {"password": people.PASSWORD})
    after = client.session.session_key
    assert before != after and client.get(reverse("people:profile")).status_code == 200
    assert Visit.objects.get(user=user).session_key == after
    thief = Client()
    thief.cookies[module.SESSION_COOKIE_NAME] = str(before)
    assert thief.get(reverse("people:profile")).status_code == 302


# --- secrets --------------------------------------------------------------------------------------------------------------------


def test_every_secret_link_has_128_random_bits() -> None:
    """Receipts, calendars, marks of browsers: none is shorter, wherever one is made."""
    lengths = [int(n) for path in OURS for n in re.findall(r"token_urlsafe\((\d+)\)", path.read_text("utf-8"))]
    assert len(lengths) >= 4 and min(lengths) >= 16
    assert len(new_receipt()) >= 22


def test_no_source_hashes_with_a_broken_function() -> None:
    """No MD5 and no SHA-1 of ours; the codes of an authenticator app are the library's."""
    broken = re.compile(r"\b(md5|sha1|SHA1|MD5)\b")
    assert [f"{path.relative_to(ROOT)}: {m.group()}" for path in OURS for m in broken.finditer(path.read_text("utf-8"))] == []


def test_the_inventory_of_keys_names_every_place_that_makes_one() -> None:
    """docs/security.md, “Keys”: a new module that makes keys must say there what for, where it lies and how it is replaced."""
    makes = re.compile(r"generate_private_key\(|PrivateKey\.generate\(|Identity\.generate\(|token_bytes\((32|BYTES)\)")
    makers = {str(path.relative_to(ROOT)) for path in OURS if makes.search(path.read_text("utf-8"))}
    table = SECURITY[SECURITY.index("## Keys") :].partition("\n## ")[0]
    assert makers and {maker for maker in makers if f"`{maker}`" not in table} == set()


def test_every_encrypted_column_stands_in_the_table_of_data() -> None:
    """docs/security.md, “Data by level”."""
    columns = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, Secret)
    }
    table = SECURITY[SECURITY.index("## Data by level") :].partition("\n## ")[0]
    assert columns and {column for column in columns if f"`{column}`" not in table} == set()


# --- logs -----------------------------------------------------------------------------------------------------------------------


def test_every_kind_of_security_event_is_in_the_inventory() -> None:
    """docs/security.md, “What is logged where”."""
    table = SECURITY[SECURITY.index("## What is logged where") :].partition("\n## ")[0]
    assert {kind for kind in SecurityEvent.Kind.values if f"`{kind}`" not in table} == set()


def test_a_line_of_the_log_says_its_time_with_the_offset() -> None:
    shape = module.LOGGING["formatters"]["line"]
    line = logging.Formatter(shape["format"], shape["datefmt"]).format(
        logging.makeLogRecord({"msg": "x", "levelname": "INFO", "name": "a"})
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} INFO a x", line)
    assert set(module.LOGGING["handlers"]) == {"stderr"}


@pytest.mark.django_db
def test_a_line_of_the_log_cannot_be_forged_by_what_is_sent(client: Client, caplog: Any) -> None:
    """A line break in an address stays an escape sequence: one request, one line."""
    client.get("/no-such%0a2026-01-01T00:00:00+0800 INFO grants forged/")
    lines = [record.getMessage() for record in caplog.records]
    assert lines and not [line for line in lines if "\n" in line or "\r" in line]


@pytest.mark.django_db
def test_a_refused_step_is_a_line_of_the_log_with_who_and_which_rule(caplog: Any) -> None:
    """At the door and for a page; looking at a page that merely offers no step writes nothing."""
    desk, stranger = people.office(), people.person()
    call, before = calls.draft(desk), AuditEvent.objects.count()
    with caplog.at_level(logging.WARNING, "grants.refused"), pytest.raises(NotYou):
        perform(call, "propose", by=stranger)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "grants.refused"]
    assert str(stranger.pseudonym) in line and "propose" in line and call.subject in line
    assert stranger.name not in line and AuditEvent.objects.count() == before
    caplog.clear()
    client = Client()
    client.force_login(stranger)
    assert client.get(reverse("people:agencies")).status_code == 403
    (line,) = [record.getMessage() for record in caplog.records if record.name == "grants.refused"]
    assert str(stranger.pseudonym) in line and "administrator" in line and "/people/agencies/" in line
    caplog.clear()
    client.force_login(desk.officer)
    assert client.get(reverse("desk:object", args=["call", call.pk])).status_code == 200
    assert [record for record in caplog.records if record.name == "grants.refused"] == []


@pytest.mark.django_db
def test_a_step_with_missing_or_surplus_details_is_invalid() -> None:
    """A field that the step does not know is refused, not overlooked: nothing is assigned by its name."""
    desk = people.office()
    call = calls.draft(desk)
    for details in ({"state": "open"}, {"drafted_by": desk.approver}):
        with pytest.raises(Invalid, match="多余"):
            perform(call, "propose", by=desk.officer, **details)
    call.refresh_from_db()
    assert (call.state, call.drafted_by_id) == ("draft", desk.officer.pk)


def test_a_subject_is_one_line_whatever_a_title_holds() -> None:
    """A bare carriage return, which the first line break does not end, and Unicode's own."""
    subject, _body = compose("correction", {"page": "x", "text": "y"}, "找错：甲\rBcc: everybody@example.org\u2028乙\n\n正文")
    assert subject == "找错：甲 Bcc: everybody@example.org 乙"


# A name that comes from elsewhere – a file, an answer, a column's code – must never reach what all objects inherit.
BY_NAME = re.compile(r"([\w$)\]?]+)\[((?:[^\[\]]|\[[^\]]*\])+)\]\s*(?:[-+*/%&|^]|\*\*|\?\?|\|\||&&|<<|>>>?)?=(?![=>])")
LITERAL = re.compile(r"""\d+|"[^"]*"|'[^']*'""")
MERGED = re.compile(r"Object\.assign\((?:[^(),]|\((?:[^()]|\([^()]*\))*\))+,(?!\s*\{)")
INHERITED = re.compile(r"__proto__(?!: null\b)|\.prototype\s*[\[.]\s*\w+\]?\s*=[^=]|setPrototypeOf|Reflect\.set|defineProperty\(|\.constructor\[|\bfor \((?:const|let) \w+ in\b")


def polluting(script: str) -> list[str]:
    """What in a script could write a foreign name into a prototype: `x[name] =` where x is neither a list nor without a prototype, merged foreign objects."""
    code = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    safe = set(re.findall(r"(\w+)\s*=\s*(?:\{ __proto__: null|\[|new (?:Uint\w+|Int\w+|Big\w+|Array|Float\w+)\b|Object\.create\(null\))", code))
    named = [m.group() for m in BY_NAME.finditer(code) if not LITERAL.fullmatch(m[2].strip()) and m[1] not in safe]
    return named + [m.group() for pattern in (MERGED, INHERITED) for m in pattern.finditer(code)]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("found[name] = 1", True),
        ("this.waits[offer.answer] = x", True),
        ("out[key] ??= {}", True),
        ("a.b[c[0]] += 1", True),
        ("get(x)[name] = 1", True),
        ("Object.assign(target, JSON.parse(text))", True),
        ("Object.assign(this, how, { rows: [] })", True),
        ("x.__proto__ = y", True),
        ("Object.prototype.seen = 1", True),
        ("for (const key in told) put(key)", True),
        ("const row = { __proto__: null }; row[code] = 1", False),
        ("const bytes = new Uint8Array(4); bytes[i] = 1", False),
        ("parts[0] = 1; if (a[b] === c) d()", False),
        ("Object.assign(link, { href })", False),
        ("const f = (a) => map[a]", False),
    ],
)
def test_a_script_that_writes_a_foreign_name_is_seen(script: str, found: bool) -> None:
    """The check itself: what it must see and what it must let through."""
    assert bool(polluting(script)) is found, polluting(script)


def test_no_script_of_ours_writes_a_foreign_name_into_what_objects_inherit() -> None:
    """Every module; and the first one closes what all objects inherit for whatever comes later."""
    assert {f"{path.name}: {part}" for path in SCRIPTS for part in polluting(path.read_text("utf-8"))} == set()
    assert "Object.preventExtensions(kind.prototype)" in (ROOT / "grants/web/static/web/start.js").read_text("utf-8")
