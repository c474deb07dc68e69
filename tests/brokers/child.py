"""What the processes of the broker tests run. `python tests/brokers/child.py prepare | commit N | sweep`; Celery workers load `app` from here."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

from grants.config.celery import app

django.setup()
app.conf.task_default_queue = os.environ["TEST_QUEUE"]

from django.core.management import call_command  # noqa: E402

from grants import clock  # noqa: E402
from grants.notifications.models import Message  # noqa: E402
from grants.people.models import Organisation, User  # noqa: E402
from grants.workflow import effects  # noqa: E402
from grants.workflow.door import perform  # noqa: E402
from grants.workflow.effects import Apply, Job, effect, react  # noqa: E402

effects.LEASE = timedelta(seconds=3)  # a killed worker's row is free again within the test's patience


def _write(job: Job, template: str) -> None:
    """Once per doing: a second doing of the same effect would be a second row."""
    to = User.objects.get(username="registrar")
    Message.objects.create(to=to, template=template, subject=job.key, body="b", key=str(uuid4()), created_at=clock.now())


@effect("test.letter")
def letter(job: Job) -> None:
    """Database work, long enough to be killed in its middle."""
    _write(job, "test")
    time.sleep(0.03)


@effect("test.paper", slow=True)
def paper(job: Job) -> Apply:
    """Prepared outside the transaction, written inside it."""
    time.sleep(0.03)
    return lambda: _write(job, "test-paper")


react("organisation", "return_", "test.letter")
react("organisation", "return_", "test.paper")


def prepare() -> None:
    """A submitted organisation and a clerk, made through the services."""
    from tests.world import people

    call_command("migrate", verbosity=0)
    if User.objects.filter(username="registrar").exists():
        return
    desk = people.office()
    founder = people.person("创办人")
    made = people.services.register_organisation(by=founder, **people.particulars(desk.agency))
    perform(made, "submit", by=founder)
    User.objects.filter(pk=desk.officer.pk).update(username="registrar")
    User.objects.filter(pk=founder.pk).update(username="founder")


def commit(times: int) -> None:
    """Send the papers back and hand them in again, so many times: two effects each, promised by real steps."""
    clerk, founder = User.objects.get(username="registrar"), User.objects.get(username="founder")
    for _ in range(times):
        perform(perform(Organisation.objects.get(), "return_", by=clerk, note="补证书"), "submit", by=founder)


def main(what: str, *more: str) -> None:
    """Do one part of the story."""
    if what == "prepare":
        prepare()
    elif what == "commit":
        commit(int(more[0]))
    elif what == "sweep":
        while True:  # until the test ends it
            effects.sweep()
            time.sleep(0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
