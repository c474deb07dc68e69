"""All settings, driven by the environment. Every variable is explained in docs/operations.md; checks.py refuses unsafe ones.

Three ways to run: *production* (the default, refuses to start insecurely), *demo* (`GONGCHUANG_DEMO=1`, answers only this
machine, makes its own secret), *debug* (`DEBUG=1`, for whoever changes the code).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from grants.config import environment as env

BASE_DIR = Path(__file__).resolve().parents[2]
GONGCHUANG_HOME = env.data_folder(BASE_DIR / "var")
DEMO = env.is_demo(GONGCHUANG_HOME)
DEBUG = env.flag("DEBUG")
GUARDED = not (DEMO or DEBUG)  # production: everything in checks.py applies

SITE_NAME = env.text("SITE_NAME", "公创")
SITE_AGENCY = {  # what a government site says at its foot (国办发〔2017〕47号); what is not set is not shown
    "organiser": env.text("SITE_ORGANISER"),  # 主办单位
    "contact": env.text("SITE_CONTACT"),  # 联系方式
    "icp": env.text("SITE_ICP"),  # ICP备案号
    "icp_url": env.text("SITE_ICP_URL", "https://beian.miit.gov.cn/"),
    "police": env.text("SITE_POLICE_RECORD"),  # 公安备案号
    "police_url": env.text("SITE_POLICE_RECORD_URL", "https://beian.mps.gov.cn/"),
    "code": env.text("SITE_CODE"),  # 网站标识码
    "corrections_url": env.text("SITE_CORRECTIONS_URL"),  # 找错: a platform elsewhere instead of our own page
}
SITE_CORRECTIONS_MAIL = env.text("SITE_CORRECTIONS_MAIL")  # where reports of mistakes go besides the administrators' inbox
SITE_FOOTER = [line.strip() for line in env.text("SITE_FOOTER").split("|") if line.strip()]  # further lines, one each
SITE_URL = env.text("SITE_URL")  # how letters name this site, e.g. https://grants.example.gov.cn; no slash at the end
OCDS_PREFIX = env.text("OCDS_PREFIX", "ocds-000000")  # of open data; register one with the Open Contracting Partnership
GIVING360_PREFIX = env.text("GIVING360_PREFIX", "360G-gongchuang")  # the same for 360Giving
LEDGER_ORIGIN = env.text("LEDGER_ORIGIN", "gongchuang")
LEDGER_MLDSA44 = env.flag("LEDGER_MLDSA44")  # a second, post-quantum signature on checkpoints
LEDGER_WITNESSES = env.words("LEDGER_WITNESSES")  # public key lines of witnesses whose cosignatures are kept
LEDGER_TSA_URL = env.text("LEDGER_TSA_URL")  # an outside time-stamping authority (RFC 3161) for the day's checkpoints
BANK_GATEWAY = env.text("BANK_GATEWAY")  # dotted path of a class with send(instruction): orders go to it as well as into the file

# --- secrets and hosts -------------------------------------------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY") or ("" if GUARDED else env.demo_secret(GONGCHUANG_HOME))
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
VAULT_KEY = env.text("GONGCHUANG_VAULT_KEY")  # master key of sealed ballots; empty: the file in GONGCHUANG_HOME/keys
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", [] if GUARDED else LOOPBACK)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [SITE_URL] if SITE_URL else [])

# --- what it is made of, lowest layer first ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "grants.clock",
    "grants.vault",
    "grants.ledger",
    "grants.documents",
    "grants.notifications",
    "grants.workflow",
    "grants.web",
    "grants.people",
    "grants.calls",
    "bidding",
    "review",
    "grants.awards",
    "grants.funding",
    "grants.evaluation",
    "grants.desk",
    "grants.audit",
    "grants.config",
]
ARRIVAL_HEADER = env.text("ARRIVAL_HEADER")  # set by the front door, and by nobody else: when a request was whole there
SUBMISSION_DRAIN = env.number("SUBMISSION_DRAIN_SECONDS", 60 if GUARDED else 0)  # closing waits for what was in the door in time
MIDDLEWARE = [
    "grants.config.arrival.Arrival",
    "django.middleware.security.SecurityMiddleware",
    "grants.web.policy.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "grants.config.limits.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "grants.documents.uploads.UploadsInMemory",  # before the first reader of a form
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "grants.web.caching.NothingStays",
    "allauth.account.middleware.AccountMiddleware",
    "grants.people.gate.Gate",
    "grants.desk.asking.AskAgain",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "grants.desk.refused.RefusalPage",
]
ROOT_URLCONF = "grants.config.urls"
WSGI_APPLICATION = "grants.config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # Django adds the cached loader by itself
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "grants.web.context.site",
                "grants.desk.menu.menu",
            ],
        },
    },
]

FORM_RENDERER = "grants.web.rendering.GovukRenderer"
CSRF_FAILURE_VIEW = "grants.web.errors.csrf_failure"

# --- database -----------------------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_URL = env.text("DATABASE_URL") or f"sqlite:///{GONGCHUANG_HOME / 'gongchuang.sqlite3'}"
DATABASES: dict[str, Any] = {
    # A connection lives as long as a request unless DATABASE_CONN_MAX_AGE (seconds) says otherwise: no surprise in
    # a forked worker, a pgbouncer or a test that counts connections.
    "default": dj_database_url.parse(DATABASE_URL, conn_max_age=env.number("DATABASE_CONN_MAX_AGE", 0), conn_health_checks=True)
}
# docs/adr/0003: writers queue at BEGIN instead of failing at their first write; the ledger's fsync is not negotiable.
SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 30,  # seconds that a writer waits for the one before it
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
DATABASES["default"].setdefault("OPTIONS", {}).update(SQLITE_OPTIONS if _SQLITE else {"application_name": "gongchuang"})
# A pooler that lends connections by the transaction: neither cursors nor prepared statements may stay on the server.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.flag("DATABASE_POOLED")

# --- people -------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None  # guardian: no row that stands for everybody
LOGIN_URL = "desk:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
_VALIDATORS = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": _VALIDATORS + "UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("username", "name", "email", "phone")}},
    {"NAME": _VALIDATORS + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": _VALIDATORS + "CommonPasswordValidator"},
    {"NAME": _VALIDATORS + "NumericPasswordValidator"},
    {"NAME": "grants.people.passwords.KindsOrLength"},
    *([] if DEMO else [{"NAME": "grants.people.passwords.NotOurWords"}]),  # a demonstration's one password is public anyway
]

# --- signing in (docs/adr/0012, 0013): django-allauth for second factors and OpenID Connect, under our own pages -----------
SECOND_FACTOR = env.flag("SECOND_FACTOR", default=GUARDED)  # staff, experts, evaluators and administrators must have one
SECOND_FACTOR_WAIVED = env.text("SECOND_FACTOR_WAIVED")  # why not, in words; production refuses to go without either
SESSION_IDLE = env.number("SESSION_IDLE_MINUTES", 30, least=1) * 60  # of staff; applicants write long texts and are not staff
SESSION_LONGEST = env.number("SESSION_LONGEST_HOURS", 12, least=1) * 3600
SECURITY_LOG_DAYS = env.number("SECURITY_LOG_DAYS", 366, least=183)  # 网络安全法 §21: at least six months
SESSIONS_AT_ONCE = env.number("SESSIONS_AT_ONCE", 3, least=1)  # of one staff person; the oldest is ended
ACCOUNT_ADAPTER = "grants.people.accounts.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # asked by allauth's checks; its sign-up page does not exist here
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_RATE_LIMITS = {"login_failed": None, "reauthenticate": "20/m/user"}  # failures are counted by grants.people.lockout
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
MFA_ADAPTER = "grants.people.accounts.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # one step of 30 seconds either way: office computers and telephones disagree
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not GUARDED  # a demonstration is http://localhost
MFA_FORMS = {
    "authenticate": "grants.people.accounts.CodeForm",
    "reauthenticate": "grants.people.accounts.AgainForm",
    "authenticate_webauthn": "grants.people.accounts.PasskeyForm",
    "activate_totp": "grants.people.accounts.AppForm",
    "add_webauthn": "grants.people.accounts.AddPasskeyForm",
}
ALLAUTH_TRUSTED_PROXY_COUNT = 0  # addresses come from grants.web.limits.address_of
SOCIALACCOUNT_ADAPTER = "grants.people.accounts.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: the policy's form-action allows no form that leads to another site
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_QUERY_EMAIL = False
OIDC_ISSUER = env.text("OIDC_ISSUER")  # empty: no sign-in from elsewhere
OIDC_PROVIDER = env.text("OIDC_PROVIDER", "oidc")  # its name in addresses and in the mapping; choose once
OIDC_NAME = env.text("OIDC_NAME", "统一身份认证")  # what the button says
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
_OIDC_APP = {
    "provider_id": OIDC_PROVIDER,
    "name": OIDC_NAME,
    "client_id": OIDC_CLIENT_ID,
    "secret": OIDC_CLIENT_SECRET,
    "settings": {"server_url": OIDC_ISSUER, "fetch_userinfo": False},
}
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "grants.people.elsewhere.Provider",
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [_OIDC_APP] if OIDC_ISSUER else [],
    }
}
DEMO_MAIL_DOMAIN = "demo.invalid"  # every demo account's address ends so; production refuses a database that has one

# --- language and time: shown in Beijing time, stored in UTC, asked only of grants.clock --------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "grants" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

# --- files --------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = GONGCHUANG_HOME / "static"
MEDIA_ROOT = GONGCHUANG_HOME / "files"  # kept by hash, never served by a URL of their own
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
_HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _HASHED if GUARDED else _PLAIN},
}
WHITENOISE_USE_FINDERS = not GUARDED  # production serves what `collectstatic` gathered; the demo needs no such step
WHITENOISE_AUTOREFRESH = DEBUG
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_MB", 20, least=1) * 1024 * 1024  # one file; a call's rules may ask for less
MAX_REQUEST_BYTES = 5 * MAX_UPLOAD_BYTES  # everything one click sends
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # larger files go to disk while they arrive
FILE_UPLOAD_TEMP_DIR = str(GONGCHUANG_HOME / "arriving")  # not /tmp: applicants' papers stay in the one folder
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a budget of 200 lines has some 2,000 fields
DATA_UPLOAD_MAX_NUMBER_FILES = 40
CLAMD = env.text("CLAMD")  # unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310; empty: uploads are not scanned
CLAMD_WHEN_AWAY = env.text("CLAMD_WHEN_AWAY", "refuse")  # or accept: a scanner that died costs nobody a deadline
for _folder in (STATIC_ROOT, Path(FILE_UPLOAD_TEMP_DIR)):
    _folder.mkdir(mode=0o700, exist_ok=True)

# --- electronic signatures (docs/adr/0021) ---------------------------------------------------------------------------------
PLATFORM_CA = env.flag("PLATFORM_CA", default=not GUARDED)  # may the development CA sign for bodies without a certificate of their own
TSA_URL = env.text("TSA_URL")  # RFC 3161; the only address a signature ever asks. Empty: no timestamps (B-B)
TSA_USER, TSA_PASSWORD = env.text("TSA_USER"), env.text("TSA_PASSWORD")
SIGN_LEVEL = env.text("SIGN_LEVEL", "B-LTA" if TSA_URL else "B-B")
EXTERNAL_SIGNER = env.text("EXTERNAL_SIGNER")  # dotted path of a class (grants.documents.signing.external)

# --- the browser's side of safety ---------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("SECURE_COOKIES", default=GUARDED)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = SESSION_LONGEST
SESSION_COOKIE_NAME = "__Host-session" if SESSION_COOKIE_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if CSRF_COOKIE_SECURE else "csrf"
DEVICE_COOKIE_NAME = "__Host-device" if SESSION_COOKIE_SECURE else "device"
DISPLAY_COOKIE_NAME = "__Host-display" if SESSION_COOKIE_SECURE else "display"
LANGUAGE_COOKIE_NAME = "__Host-language" if SESSION_COOKIE_SECURE else "django_language"
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = SESSION_COOKIE_SECURE, True, "Lax"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=GUARDED)
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000 if GUARDED else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD")
# Only who owns the domain knows whether these two may be on: `check --deploy` asks until they are answered, yes or no.
_ANSWERED = {"security.W005": "SECURE_HSTS_SUBDOMAINS", "security.W021": "SECURE_HSTS_PRELOAD"}
SILENCED_SYSTEM_CHECKS = [check for check, name in _ANSWERED.items() if env.text(name)]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY") else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1 if SECURE_PROXY_SSL_HEADER else 0)  # how many of ours append X-Forwarded-For
CONTENT_SECURITY_POLICY = (  # sent by grants.web; no inline script or style anywhere, nothing from another site
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; manifest-src 'self'"
)

# --- letters ------------------------------------------------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 465, least=1)
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = 20
_MAIL = "django.core.mail.backends."
EMAIL_BACKEND = _MAIL + ("smtp.EmailBackend" if EMAIL_HOST else "filebased.EmailBackend")
# Beside mail: sms, wechat, wecom write files for trying out; a gateway is the dotted path of a class like notifications.channels.ToFile.
LETTER_CHANNELS = env.words("LETTER_CHANNELS", [])
EMAIL_FILE_PATH = GONGCHUANG_HOME / "mail"  # without a mail server, letters can be read here
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "gongchuang@localhost")

# --- effects (docs/adr/0002): the outbox is the truth; the broker, if there is one, only wakes a worker earlier ----------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 600  # seconds; a killed effect stays in the outbox and is done again
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
_REDIS = CELERY_BROKER_URL.startswith("redis")
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5} if _REDIS else {}
SCHEDULE = "grants.config.schedule.CHORES"  # what recurs: the embedded worker and Celery's beat read the same list
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True

# --- logs: to standard error; personal data never goes there ------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "pyhanko": {"level": "CRITICAL"},  # a signature that does not hold is an answer, not a warning with a traceback
        "pyhanko_certvalidator": {"level": "CRITICAL"},
    },
}
