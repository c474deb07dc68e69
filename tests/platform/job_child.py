"""What the killed process runs: a job over five items, cut off inside the third. `python tests/platform/job_child.py MOMENT`: start | die | finish."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from grants import clock  # noqa: E402
from grants.notifications.models import Message  # noqa: E402
from grants.people.models import Organisation, User  # noqa: E402
from grants.workflow import effects, jobs  # noqa: E402
from grants.workflow.models import BulkJob, JobItem  # noqa: E402
from grants.workflow.rules import Answer, Rule  # noqa: E402
from grants.workflow.worker import Worker  # noqa: E402

DIE_AT = {"position": 0}
ANYBODY = Rule("anybody", "任何人", lambda ask: Answer(True, role="self"), roles=frozenset({"self"}))


@jobs.job_kind("test.notes", "测试", by=ANYBODY, scope_of=lambda pk: Organisation.objects.get(pk=pk))
def note(item: JobItem) -> jobs.Done:
    """Write one letter; when told to, die after writing it and before the item is marked."""
    user = User.objects.get(username="registrar")
    Message.objects.create(to=user, template="note", subject="s", body="b", key=f"{item.pk}/{Message.objects.count()}", created_at=clock.now())
    if item.position == DIE_AT["position"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return jobs.Done("ok")


def start() -> None:
    from tests.world import people

    call_command("migrate", verbosity=0)
    desk = people.office()
    body = people.body(desk)
    User.objects.filter(pk=desk.officer.pk).update(username="registrar")
    effects.drain()
    targets = [jobs.Target(f"thing:{n}", UUID(int=n), f"第 {n} 项") for n in range(1, 6)]
    jobs.start("test.notes", body.organisation, targets, by=desk.officer, title="五封信")


def main(moment: str) -> Any:
    """Do one part of the story, perhaps to the death."""
    if moment == "start":
        return start()
    if moment == "die":
        DIE_AT["position"] = 3
        effects.LEASE = effects.timedelta(seconds=0)
    elif moment == "resume":  # the lease of the dead worker still runs: the person presses 续办 and does not wait for it
        jobs.resume(BulkJob.objects.get(), by=User.objects.get(username="registrar"))
    elif moment == "hold":  # killed while its lease is long
        DIE_AT["position"] = 3
    worker = Worker([])
    while worker.turn():
        pass
    return None


if __name__ == "__main__":
    main(sys.argv[1])
