"""The settings read the environment strictly, set SQLite safely, and an unsafe installation does not start and says why."""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.db.utils import ConnectionHandler

from grants.config import checks, environment
from grants.config import settings as module
from grants.config.limits import BodyLimit
from grants.vault import keys

STRONG = "kZ4vR0-7qYb2TnXw9LsPd3Hf6GmJc1Ue8AoIiQxVtSrNyWzBEKMC"
VAULT_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def ids(found: Any) -> set[str]:
    return {message.id.removeprefix("gongchuang.") for message in found}


@pytest.fixture
def production(settings: Any, tmp_path: Path, monkeypatch: Any) -> Any:
    """Settings of a safe production installation; each test breaks one thing.

    The key is handed to the check: Django's own settings cannot hold an empty one even while a test restores them.
    """
    monkeypatch.setattr(checks, "_secret_key", lambda: STRONG)
    tmp_path.chmod(0o700)
    values = {
        "GUARDED": True, "DEMO": False, "DEBUG": False, "ALLOWED_HOSTS": ["grants.example.org"],
        "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "SECURE_SSL_REDIRECT": True, "SECURE_PROXY_SSL_HEADER": None,
        "GONGCHUANG_HOME": tmp_path, "DATABASE_URL": "sqlite:////x", "CELERY_BROKER_URL": "", "EMAIL_HOST": "mail.example.org",
        "SECOND_FACTOR": True, "SECOND_FACTOR_WAIVED": "", "OIDC_ISSUER": "", "VAULT_KEY": VAULT_KEY,
    }  # fmt: skip
    for name, value in values.items():
        setattr(settings, name, value)
    return settings


# --- reading ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "meant"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("off", False), ("", False)])
def test_a_flag_is_read_in_its_accepted_spellings(monkeypatch: Any, found: str, meant: bool) -> None:
    monkeypatch.setenv("FLAG", found)
    assert environment.flag("FLAG", default=not meant) is meant


@pytest.mark.parametrize("found", ["flase", "2", "真", "none"])
def test_a_mistyped_flag_is_refused_and_named(monkeypatch: Any, found: str) -> None:
    monkeypatch.setenv("DEBUG", found)
    with pytest.raises(environment.BadEnvironment, match="DEBUG"):
        environment.flag("DEBUG")


@pytest.mark.parametrize("found", ["-1", "0", "4.5", "十", "１２"])
def test_a_number_below_its_floor_or_unreadable_is_refused(monkeypatch: Any, found: str) -> None:
    monkeypatch.setenv("MAX_UPLOAD_MB", found)
    with pytest.raises(environment.BadEnvironment, match="MAX_UPLOAD_MB"):
        environment.number("MAX_UPLOAD_MB", 20, least=1)


def test_a_list_drops_blanks_and_empty_entries(monkeypatch: Any) -> None:
    monkeypatch.setenv("HOSTS", " a.example ,, b.example,")
    assert environment.words("HOSTS") == ["a.example", "b.example"]


def test_the_data_folder_is_made_for_its_owner_only(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("GONGCHUANG_HOME", str(tmp_path / "new" / "home"))
    made = environment.data_folder(tmp_path / "unused")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert not (tmp_path / "unused").exists()


def test_the_demo_secret_is_private_and_the_same_for_processes_that_start_together(tmp_path: Path) -> None:
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(environment.demo_secret(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert len(seen[0]) >= checks.LEAST_SECRET
    assert [p.name for p in tmp_path.iterdir()] == [environment.DEMO_MARK]
    assert stat.S_IMODE((tmp_path / environment.DEMO_MARK).stat().st_mode) == 0o600


def test_a_folder_made_by_the_demo_stays_a_demo_until_somebody_means_it_seriously(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.delenv("GONGCHUANG_DEMO", raising=False)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert not environment.is_demo(tmp_path)
    environment.demo_secret(tmp_path)
    assert environment.is_demo(tmp_path)
    monkeypatch.setenv("SECRET_KEY", STRONG)
    assert not environment.is_demo(tmp_path)
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("GONGCHUANG_DEMO", "0")
    assert not environment.is_demo(tmp_path)


# --- refusing -----------------------------------------------------------------------------------------------------------


def test_a_safe_production_installation_has_nothing_to_refuse(production: Any) -> None:
    assert checks.check_installation() == []


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("ALLOWED_HOSTS", [], "E003"),
        ("ALLOWED_HOSTS", ["*"], "E003"),
        ("ALLOWED_HOSTS", ["grants.example.org", ".*"], "E003"),
        ("SESSION_COOKIE_SECURE", False, "E005"),
        ("CSRF_COOKIE_SECURE", False, "E005"),
        ("SECURE_SSL_REDIRECT", False, "E006"),
        ("SECOND_FACTOR", False, "E012"),
        ("DATABASE_URL", "postgres://gongchuang:postgres@db.example/x?sslmode=require", "E007"),
        ("DATABASE_URL", "postgres://gongchuang:postgres@127.0.0.1/x", "E007"),
        ("DATABASE_URL", "postgres://gongchuang@db.example/x?sslmode=require", "E007"),
        ("DATABASE_URL", "postgres://gongchuang:xK3-long-enough@db.example/x", "W001"),
        ("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1//", "E007"),
        ("CELERY_BROKER_URL", "redis://mq.example/0", "E007"),
        ("EMAIL_HOST", "", "W002"),
        ("SECURE_HSTS_PRELOAD", True, "E019"),
    ],
)
def test_each_unsafe_setting_is_refused_by_its_own_rule_with_a_way_out(production: Any, name: str, value: Any, refusal: str) -> None:
    setattr(production, name, value)
    found = checks.check_installation()
    assert ids(found) == {refusal}
    for message in found:
        assert re.search("[一-鿿]", message.msg), "no Chinese"
        assert re.search("[A-Za-z]{4}", message.msg), "no English"
        assert message.hint


def test_a_place_in_the_preload_lists_needs_subdomains_and_a_year(production: Any) -> None:
    production.SECURE_HSTS_PRELOAD = production.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    production.SECURE_HSTS_SECONDS = 31_536_000
    assert checks.check_installation() == []
    production.SECURE_HSTS_SECONDS -= 1
    assert ids(checks.check_installation()) == {"E019"}


@pytest.mark.parametrize(
    ("key", "refusal"), [("", "E001"), (STRONG[:49], "E002"), ("ab" * 40, "E002"), ("django-insecure-" + STRONG, "E002")]
)
def test_a_missing_or_weak_secret_is_refused_with_the_command_that_makes_one(
    production: Any, monkeypatch: Any, key: str, refusal: str
) -> None:
    monkeypatch.setattr(checks, "_secret_key", lambda: key)
    found = checks.check_installation()
    assert ids(found) == {refusal}
    assert "secrets.token_urlsafe" in found[0].hint


@pytest.mark.parametrize("url", ["postgres://gongchuang@127.0.0.1/x", "postgres:///x", "redis://localhost/0", "sqlite:////x", ""])
def test_a_service_of_this_machine_may_trust_its_socket(production: Any, url: str) -> None:
    production.DATABASE_URL = url
    assert checks.check_installation() == []


def test_a_proxy_that_ends_tls_replaces_the_redirect(production: Any) -> None:
    production.SECURE_SSL_REDIRECT = False
    production.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert checks.check_installation() == []


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_data_folder_that_others_may_enter_is_refused(production: Any, mode: int) -> None:
    production.GONGCHUANG_HOME.chmod(mode)
    assert ids(checks.check_installation()) == {"E008"}


def test_production_does_not_start_without_the_master_key_of_sealed_ballots(production: Any) -> None:
    """None, one that is no key, one that others may read; `vault make` is the way out, and never replaces a key."""
    production.VAULT_KEY = ""
    [missing] = checks.check_installation()
    assert missing.id == "gongchuang.E015"
    assert "vault make" in str(missing.hint)
    with pytest.raises(CommandError):
        call_command("vault", "show")
    call_command("vault", "make", stdout=io.StringIO())
    made = keys.path().read_bytes()
    assert checks.check_installation() == []
    call_command("vault", "make", stdout=io.StringIO())
    assert keys.path().read_bytes() == made
    keys.path().chmod(0o640)
    assert ids(checks.check_installation()) == {"E016"}
    for wrong in ("x", "QUJD", ","):
        production.VAULT_KEY = wrong
        assert ids(checks.check_installation()) == {"E015"}


def test_the_demos_data_folder_is_refused_in_production(production: Any) -> None:
    environment.demo_secret(production.GONGCHUANG_HOME)
    assert ids(checks.check_installation()) == {"E009"}


def test_a_demonstration_answers_this_machine_only(settings: Any) -> None:
    settings.DEMO, settings.DEBUG, settings.GUARDED = True, False, False
    settings.ALLOWED_HOSTS = list(settings.LOOPBACK)
    assert checks.check_installation() == []
    settings.ALLOWED_HOSTS = ["localhost", "grants.example.org"]
    assert ids(checks.check_installation()) == {"E004"}


@pytest.mark.parametrize(("version", "refused"), [(140012, {"E010"}), (150000, set()), (170002, set())])
def test_postgresql_before_15_is_refused(monkeypatch: Any, settings: Any, version: int, refused: set[str]) -> None:
    settings.GUARDED = False
    server = SimpleNamespace(vendor="postgresql", pg_version=version, ensure_connection=lambda: None)
    monkeypatch.setattr(checks, "connections", {"default": server})
    assert ids(checks.check_database(databases=["default"])) == refused


@pytest.mark.django_db
def test_a_production_database_with_a_demonstration_account_is_refused(production: Any, django_user_model: Any) -> None:
    person = django_user_model.objects.create(username="officer", email=f"officer@{production.DEMO_MAIL_DOMAIN.upper()}")
    assert ids(checks.check_database(databases=["default"])) == {"E011"}
    person.is_active = False
    person.save()
    assert checks.check_database(databases=["default"]) == []


WEB = ("-c", "import grants.config.wsgi; print('serving')")
WORKER = ("-m", "celery", "-A", "grants.config.celery", "worker", "--pool", "solo")


def start(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own with these variables only; by default import the WSGI entry, as a web server does."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *(command or WEB)], env={**kept, "GONGCHUANG_HOME": str(folder), **variables},
        cwd=module.BASE_DIR, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_web_server_without_its_variables_does_not_start_and_hears_every_reason_at_once(tmp_path: Path) -> None:
    refused = start(tmp_path / "home")
    assert refused.returncode != 0
    assert "serving" not in refused.stdout
    for rule in ("E001", "E003"):
        assert f"gongchuang.{rule}" in refused.stderr
    assert "拒绝启动" in refused.stderr


def test_a_celery_worker_without_its_variables_does_not_start_either(tmp_path: Path) -> None:
    refused = start(tmp_path / "home", *WORKER, CELERY_BROKER_URL="memory://")
    assert refused.returncode != 0
    assert "gongchuang.E001" in refused.stderr


def test_a_web_server_with_its_variables_starts(tmp_path: Path) -> None:
    started = start(tmp_path / "home", SECRET_KEY=STRONG, ALLOWED_HOSTS="grants.example.org", BEHIND_TLS_PROXY="1", GONGCHUANG_VAULT_KEY=VAULT_KEY)
    assert started.returncode == 0, started.stderr
    assert started.stdout.strip() == "serving"


ASK = """
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
print(settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD)
call_command("check", deploy=True)
"""


@pytest.mark.parametrize(
    ("answers", "asked", "means"),
    [
        ({}, {"security.W005", "security.W021"}, "False False"),
        ({"SECURE_HSTS_SUBDOMAINS": "1", "SECURE_HSTS_PRELOAD": "0"}, set(), "True False"),
        ({"SECURE_HSTS_SUBDOMAINS": "0"}, {"security.W021"}, "False False"),
    ],
)
def test_what_only_the_owner_of_the_domain_knows_is_asked_until_answered(tmp_path: Path, answers: Any, asked: set[str], means: str) -> None:
    """A yes or a no; neither is guessed."""
    safe = {"SECRET_KEY": STRONG, "ALLOWED_HOSTS": "grants.example.org", "GONGCHUANG_VAULT_KEY": VAULT_KEY, "EMAIL_HOST": "mail.example.org"}
    seen = start(tmp_path / "home", "-c", ASK, DJANGO_SETTINGS_MODULE="grants.config.settings", **safe, **answers)
    assert seen.returncode == 0, seen.stderr
    assert set(re.findall(r"(?:security|gongchuang)\.[WE]\d+", seen.stderr)) == asked
    assert seen.stdout.splitlines()[0] == means


def test_a_mistyped_variable_stops_the_start_instead_of_being_guessed(tmp_path: Path) -> None:
    refused = start(tmp_path / "home", DEBUG="flase")
    assert refused.returncode != 0
    assert "DEBUG='flase'" in refused.stderr


# --- SQLite -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite(tmp_path: Path, django_db_blocker: Any) -> Any:
    """Two connections to one file with the options that the settings give SQLite (the tests themselves may run elsewhere)."""
    base = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "x.sqlite3", "OPTIONS": module.SQLITE_OPTIONS}
    handler = ConnectionHandler({"default": base, "other": {**base, "OPTIONS": {**module.SQLITE_OPTIONS, "timeout": 0.2}}})
    with django_db_blocker.unblock():
        yield handler
        handler.close_all()


def pragma(connection: Any, name: str) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_sqlite_commits_are_durable_and_foreign_keys_hold(sqlite: Any) -> None:
    found = {name: pragma(sqlite["default"], name) for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_second_sqlite_writer_waits_at_its_beginning_not_at_its_first_write(sqlite: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: sqlite[using or "default"])
    with transaction.atomic("default"), pytest.raises(OperationalError, match="locked"), transaction.atomic("other"):
        pytest.fail("the second transaction began while the first held the lock")
    with transaction.atomic("other"):
        assert sqlite["other"].in_atomic_block


# --- limits, headers, papers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("announced", "status"), [("1000", 200), ("1001", 413), ("-5", 413), ("many", 413), ("", 200)])
def test_a_request_that_announces_too_much_is_refused_before_it_is_read(rf: Any, settings: Any, announced: str, status: int) -> None:
    settings.MAX_REQUEST_BYTES = 1000
    reached = []
    limit = BodyLimit(lambda request: reached.append(request) or SimpleNamespace(status_code=200))  # type: ignore[arg-type,func-returns-value]
    answer = limit(rf.post("/", CONTENT_LENGTH=announced))
    assert answer.status_code == status
    assert bool(reached) is (status == 200)


@pytest.mark.django_db
def test_every_answer_carries_the_safety_headers(client: Any) -> None:
    answer = client.get("/no-such-page/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]


def test_there_is_no_second_door(settings: Any) -> None:
    assert not [app for app in settings.INSTALLED_APPS if "admin" in app]


def test_requirements_are_pinned_by_hash_and_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (module.BASE_DIR / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.split(r"\n(?=\S)", "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).strip())
        assert len(pins) > 40
        for pin in pins:
            assert re.match(r"[\w.-]+==\S+ ", pin), pin
            assert "--hash=sha256:" in pin, pin


def test_every_variable_the_settings_read_is_explained_for_whoever_runs_it() -> None:
    source = Path(module.__file__).read_text(encoding="utf-8") + Path(environment.__file__).read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.|\b)(?:text|flag|number|words)\(\s*"([A-Z_]+)"', source))
    assert len(read) > 20
    explained = (module.BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {name for name in read if f"`{name}`" not in explained} == set()


def test_going_without_a_second_factor_is_said_at_every_start(production: Any) -> None:
    """A word is no reason; a sentence is accepted and repeated as a warning."""
    production.SECOND_FACTOR = False
    production.SECOND_FACTOR_WAIVED = "ok"
    assert ids(checks.check_installation()) == {"E012"}
    production.SECOND_FACTOR_WAIVED = "区信息办2026年第3号函批准,至年底前采购安全密钥"
    found = checks.check_installation()
    assert ids(found) == {"W003"} and "第3号函" in str(found[0].msg)


def test_sign_in_from_elsewhere_needs_https_and_a_secret(production: Any) -> None:
    production.OIDC_ISSUER, production.OIDC_CLIENT_ID, production.OIDC_CLIENT_SECRET = "http://id.example.org", "site", ""
    assert ids(checks.check_installation()) == {"E013", "E014"}
    production.OIDC_ISSUER, production.OIDC_CLIENT_SECRET = "https://id.example.org", "kept"
    assert ids(checks.check_installation()) == set()
