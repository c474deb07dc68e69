"""Start-up refusals: with DEBUG off and outside a demonstration, an unsafe installation does not start.

Each refusal says in Chinese and English what is wrong and what to set. They are Django system checks, so every management
command refuses as well as the web server and the workers; `refuse_unsafe_start()` is what the WSGI, ASGI and Celery entries call.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks  # noqa: A004 - Django's own name
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from grants.config.environment import DEMO_MARK
from grants.vault import keys

WEAK_PASSWORDS = frozenset(
    ["", "postgres", "password", "passwd", "root", "admin", "guest", "123456", "12345678", "gongchuang", "changeme", "secret"]
)
HOW_TO_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
LEAST_SECRET, LEAST_LETTERS = 50, 8  # characters, distinct characters
LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})
POSTGRESQL_FLOOR = 150000
A_YEAR = 31_536_000  # seconds
LEAST_REASON = 10  # characters


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured with every refusal at once, or return silently. Asks the database too."""
    found = [*run_checks(tags=["gongchuang"]), *check_database(databases=["default"])]
    errors = [message for message in found if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(["拒绝启动 / refusing to start:", *(_line(e) for e in errors)]))


def _line(message: CheckMessage) -> str:
    return f"  ({message.id}) {message.msg}\n      → {message.hint}"


@register("gongchuang")
def check_installation(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """All refusals that need no database. Silent in a demonstration, except that a demonstration answers this machine only."""
    if settings.DEMO and not settings.DEBUG:
        return list(_demo_hosts(settings.ALLOWED_HOSTS))
    if not settings.GUARDED:
        return []
    return [
        *_secret(_secret_key()),
        *_hosts(settings.ALLOWED_HOSTS),
        *_cookies(),
        *_hsts(),
        *_services(settings.DATABASE_URL, settings.CELERY_BROKER_URL),
        *_folder(settings.GONGCHUANG_HOME),
        *_vault(),
        *_scanner(),
        *_letters(),
        *_second_factor(),
        *_sign_in_elsewhere(),
    ]


def _secret_key() -> str:
    """The key, or nothing. Django itself raises on an empty one, with a sentence that names no way out."""
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:
        return ""


def _secret(key: str) -> Iterator[CheckMessage]:
    if not key:
        yield Error(
            "没有设置 SECRET_KEY。/ SECRET_KEY is not set.",
            hint=f'正式使用:export SECRET_KEY="$({HOW_TO_MAKE_ONE})" 并妥善保存;只想看看:make demo。'
            "/ For real use set a long random one and keep it; to look around: make demo (GONGCHUANG_DEMO=1).",
            id="gongchuang.E001",
        )
    elif len(key) < LEAST_SECRET or len(set(key)) < LEAST_LETTERS or key.startswith("django-insecure-"):
        yield Error(
            f"SECRET_KEY 太弱(至少 {LEAST_SECRET} 个随机字符)。/ SECRET_KEY is weak: at least {LEAST_SECRET} random characters.",
            hint=HOW_TO_MAKE_ONE,
            id="gongchuang.E002",
        )


def _hosts(hosts: Iterable[str]) -> Iterator[CheckMessage]:
    named = list(hosts)
    if not named or any(host.strip(".") in {"", "*"} for host in named):
        yield Error(
            "ALLOWED_HOSTS 为空或含通配符。/ ALLOWED_HOSTS is empty or a wildcard.",
            hint="写明对外域名,如 ALLOWED_HOSTS=grants.example.gov.cn。/ Name the host people type.",
            id="gongchuang.E003",
        )


def _demo_hosts(hosts: Iterable[str]) -> Iterator[CheckMessage]:
    if set(hosts) - {*settings.LOOPBACK, "testserver"}:
        yield Error(
            "演示模式的账号密码是公开的,只能在本机打开。/ A demonstration has public passwords and answers this machine only.",
            hint="去掉 ALLOWED_HOSTS,或关闭 GONGCHUANG_DEMO 并换一个 GONGCHUANG_HOME。"
            "/ Unset ALLOWED_HOSTS, or turn GONGCHUANG_DEMO off and use another GONGCHUANG_HOME.",
            id="gongchuang.E004",
        )


def _cookies() -> Iterator[CheckMessage]:
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield Error(
            "会话 cookie 会经明文 HTTP 传送。/ Session cookies would travel over plain HTTP.",
            hint="不要设置 SECURE_COOKIES=0;在 nginx 上启用 HTTPS 并设 BEHIND_TLS_PROXY=1。/ Unset it; serve HTTPS.",
            id="gongchuang.E005",
        )
    if not settings.SECURE_SSL_REDIRECT and settings.SECURE_PROXY_SSL_HEADER is None:
        yield Error(
            "既不跳转到 HTTPS,也没有说明前面有 HTTPS 代理。/ Neither redirecting to HTTPS nor behind an HTTPS proxy.",
            hint="去掉 SECURE_SSL_REDIRECT=0,或在代理后面设 BEHIND_TLS_PROXY=1。/ Unset it, or set BEHIND_TLS_PROXY=1.",
            id="gongchuang.E006",
        )


def _hsts() -> Iterator[CheckMessage]:
    """The preload list takes a domain only with its subdomains and for a year (hstspreload.org, submission requirements)."""
    if settings.SECURE_HSTS_PRELOAD and not (settings.SECURE_HSTS_INCLUDE_SUBDOMAINS and settings.SECURE_HSTS_SECONDS >= A_YEAR):
        yield Error(
            "SECURE_HSTS_PRELOAD=1 不会被浏览器的预载名单接受:还要包含子域名,并且有效期不短于一年。"
            "/ The preload list does not take a domain without its subdomains or for less than a year.",
            hint="设 SECURE_HSTS_SUBDOMAINS=1,去掉 SECURE_HSTS_SECONDS;或设 SECURE_HSTS_PRELOAD=0。"
            "/ Set SECURE_HSTS_SUBDOMAINS=1 and unset SECURE_HSTS_SECONDS, or set SECURE_HSTS_PRELOAD=0.",
            id="gongchuang.E019",
        )


def _services(database: str, broker: str) -> Iterator[CheckMessage]:
    """Default or missing passwords in DATABASE_URL and CELERY_BROKER_URL, unless the service is on this machine and has none."""
    for name, url in (("DATABASE_URL", database), ("CELERY_BROKER_URL", broker)):
        parts = urlsplit(url)
        if not url or parts.scheme in {"sqlite", "memory"}:
            continue
        password = unquote(parts.password or "")
        at_home = (parts.hostname or "") in LOCAL
        if password.lower() in WEAK_PASSWORDS and not (at_home and not password):
            yield Error(
                f"{name} 用的是默认口令或没有口令。/ {name} has a default password, or none for another machine.",
                hint=f"为该服务设置强口令并写进 {name}。/ Give the service a strong password and put it into {name}.",
                id="gongchuang.E007",
            )
        if parts.scheme.startswith("postgres") and not at_home and "sslmode=" not in parts.query:
            yield Warning(
                "到 PostgreSQL 的连接没有要求加密。/ The connection to PostgreSQL does not insist on TLS.",
                hint="在 DATABASE_URL 末尾加 ?sslmode=verify-full。/ Append ?sslmode=verify-full.",
                id="gongchuang.W001",
            )


def _folder(home: Path) -> Iterator[CheckMessage]:
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        yield Error(
            f"数据目录 {home} 其他用户可读(权限 {mode:04o})。/ The data folder is open to other users.",
            hint=f"chmod 700 {home}",
            id="gongchuang.E008",
        )
    if (home / DEMO_MARK).exists():
        yield Error(
            f"数据目录 {home} 是演示用的,里面的账号密码是公开的。"
            "/ The data folder was made by the demonstration; its passwords are public.",
            hint="把 GONGCHUANG_HOME 指向一个新目录。/ Point GONGCHUANG_HOME to a new folder.",
            id="gongchuang.E009",
        )


def _vault() -> Iterator[CheckMessage]:
    """The master key is there and nobody else reads its file."""
    try:
        keys.master_keys()
    except (keys.KeyMissing, OSError) as missing:
        yield Error(
            f"{missing} / The master key of sealed ballots is missing or unusable.",
            hint="python manage.py vault make,并把文件另存一份到数据库备份以外的地方;或设置 GONGCHUANG_VAULT_KEY。"
            "/ Make it once, and keep a copy apart from the database's backups.",
            id="gongchuang.E015",
        )
    if not settings.VAULT_KEY and keys.path().exists() and stat.S_IMODE(keys.path().stat().st_mode) & 0o077:
        yield Error(
            f"保密箱主密钥 {keys.path()} 其他用户可读。/ The vault's master key is open to other users.",
            hint=f"chmod 600 {keys.path()}",
            id="gongchuang.E016",
        )


def _scanner() -> Iterator[CheckMessage]:
    """Where uploads are scanned at all, the words are ones we understand: a typing mistake must not mean "unscanned"."""
    kind, colon, place = settings.CLAMD.partition(":")
    good = (kind == "unix" and place.startswith("/")) or (kind == "tcp" and place.rpartition(":")[2].isdigit())
    if settings.CLAMD and not (colon and good):
        yield Error(
            f"CLAMD 写法不对:{settings.CLAMD}。/ CLAMD is not an address of a clamd.",
            hint="unix:/run/clamav/clamd.ctl 或 tcp:127.0.0.1:3310。/ One of these two forms.",
            id="gongchuang.E017",
        )
    if settings.CLAMD_WHEN_AWAY not in ("refuse", "accept"):
        yield Error(
            f"CLAMD_WHEN_AWAY 只能是 refuse 或 accept,现为 {settings.CLAMD_WHEN_AWAY}。/ It is refuse or accept.",
            hint="refuse:查不了毒就不收文件;accept:先收下,以后用 manage.py files scan 补查。/ Refuse files, or take them and scan later.",
            id="gongchuang.E018",
        )


def _letters() -> Iterator[CheckMessage]:
    if not settings.EMAIL_HOST:
        yield Warning(
            f"没有设置 EMAIL_HOST,通知信只会写进 {settings.EMAIL_FILE_PATH}。"
            "/ No mail server: letters are only written to files.",
            hint="设置 EMAIL_HOST、EMAIL_HOST_USER、EMAIL_HOST_PASSWORD。/ Set them, or accept in-app notices only.",
            id="gongchuang.W002",
        )


def _second_factor() -> Iterator[CheckMessage]:
    """Off only with a reason in words, which is repeated at every start."""
    if settings.SECOND_FACTOR:
        return
    if len(settings.SECOND_FACTOR_WAIVED) < LEAST_REASON:
        yield Error(
            "第二重验证被关闭而没有说明理由。/ The second factor is switched off and nobody says why.",
            hint="去掉 SECOND_FACTOR=0;或把批准人、依据和期限写进 SECOND_FACTOR_WAIVED(至少 10 个字)。"
            "/ Unset it, or say in SECOND_FACTOR_WAIVED who allowed it, on what ground and until when.",
            id="gongchuang.E012",
        )
    else:
        yield Warning(
            f"工作人员登录不要求第二重验证:{settings.SECOND_FACTOR_WAIVED}。/ Staff sign in without a second factor.",
            hint="去掉 SECOND_FACTOR=0 即恢复要求。/ Unset SECOND_FACTOR to require it again.",
            id="gongchuang.W003",
        )


def _sign_in_elsewhere() -> Iterator[CheckMessage]:
    if not settings.OIDC_ISSUER:
        return
    if not settings.OIDC_ISSUER.startswith("https://"):
        yield Error(
            "OIDC_ISSUER 不是 https 地址。/ OIDC_ISSUER is not an https address.",
            hint="填写身份提供方的 https 地址。/ Give the identity provider's https address.",
            id="gongchuang.E013",
        )
    if not (settings.OIDC_CLIENT_ID and settings.OIDC_CLIENT_SECRET):
        yield Error(
            "设置了 OIDC_ISSUER 而没有 OIDC_CLIENT_ID 或 OIDC_CLIENT_SECRET。/ OIDC_ISSUER is set without its client id or secret.",
            hint="向身份提供方登记本平台后填写两者。/ Register this site with the identity provider and set both.",
            id="gongchuang.E014",
        )


@register(Tags.database)
def check_database(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """PostgreSQL is 15 or later; a production database holds no demonstration account. Asked by `migrate` and at every start."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        found += _version(alias)
        if settings.GUARDED:
            found += _demo_accounts(alias)
    return found


def _version(alias: str) -> Iterator[CheckMessage]:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    connection.ensure_connection()
    found = getattr(connection, "pg_version", 0)
    if found < POSTGRESQL_FLOOR:
        yield Error(
            f"PostgreSQL 版本过低({found // 10000})。/ PostgreSQL {found // 10000} is too old.",
            hint="需要 PostgreSQL 15 或更高版本。/ Use PostgreSQL 15 or later.",
            id="gongchuang.E010",
        )


def _demo_accounts(alias: str) -> Iterator[CheckMessage]:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    public = {f"{user.get_email_field_name()}__iendswith": f"@{settings.DEMO_MAIL_DOMAIN}", "is_active": True}
    try:
        present = user._base_manager.using(alias).filter(**public).exists()
    except DatabaseError:  # before the first migrate there is no table, and nobody to warn about
        return
    if present:
        yield Error(
            "数据库里有演示账号,其密码是公开的。/ The database holds demonstration accounts; their passwords are public.",
            hint="换一个数据库,或停用这些账号。/ Use another database, or deactivate these accounts.",
            id="gongchuang.E011",
        )
