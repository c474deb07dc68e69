"""Where tests live: loaded by pytest before Django's settings (see `addopts`), so that no test touches a real data folder."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import pytest

_folder = tempfile.mkdtemp(prefix="gongchuang-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

for _name in ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "CELERY_BROKER_URL", "EMAIL_HOST", "SITE_URL"):
    os.environ.pop(_name, None)
os.environ["GONGCHUANG_DEMO"] = "1"
os.environ["GONGCHUANG_HOME"] = _folder
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(_folder, "hypothesis"))  # noqa: PTH118
os.environ.setdefault("LOG_LEVEL", "WARNING")


def pytest_configure(config: pytest.Config) -> None:
    """A production password hash costs a third of a second on purpose; tests sign in hundreds of times.

    Browser journeys have their database in a file: pages that save by themselves write from several threads of the live server at once,
    and a database in memory, which threads share, answers that with "table is locked" instead of waiting.
    """
    from django.conf import settings  # the environment above must be set first

    settings.WHITENOISE_AUTOREFRESH = config.option.markexpr != "browser"  # else each of a thousand test clients lists every static file
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if config.option.markexpr == "browser" and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = os.path.join(_folder, "browser.sqlite3")  # noqa: PTH118
