"""A site of its own in its own process and folder, so that it can be killed as a power cut kills it: `python writing_site.py prepare`.

Makes an open call, an organisation with a signatory and an editor, and a draft. The database is the one of GONGCHUANG_HOME.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from grants import clock  # noqa: E402
from tests.world import bidding, calls, people  # noqa: E402


def prepare() -> None:
    """Everything through the services, under the real clock: the call opened yesterday. Prints call, bid, signatory and editor."""
    call_command("migrate", verbosity=0)
    desk = people.office()
    opens = (clock.now().astimezone(clock.TZ) - timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    call = calls.opened(desk, calls.rules("YX-2026-01", opens_at=opens))
    body = people.body(desk)
    editor = people.appointed("editor", body.organisation, "王某", by=body.signatory)
    bid = bidding.started(call, body)
    print(call.pk, bid.pk, body.signatory.username, editor.username)


if __name__ == "__main__":
    prepare()
