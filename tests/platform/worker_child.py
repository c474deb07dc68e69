"""What the killed process runs: a step with an effect that writes one letter, cut off at a chosen moment.

`python tests/platform/worker_child.py MOMENT`: prepare | commit | effect | drain. The database is the one of DATABASE_URL.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from grants.notifications.models import Message  # noqa: E402
from grants.people.models import Organisation, User  # noqa: E402
from grants.workflow import effects  # noqa: E402
from grants.workflow.door import perform  # noqa: E402
from grants.workflow.effects import Job, effect, react  # noqa: E402
from grants.workflow.worker import Worker  # noqa: E402

CUT = {"now": False}


def die() -> None:
    """As the kernel kills: no handler, no finally, no commit."""
    os.kill(os.getpid(), signal.SIGKILL)


@effect("test.letter")
def letter(job: Job) -> None:
    """Write one letter; when told to, die after writing it and before the mark “done” is committed."""
    from grants import clock

    Message.objects.create(
        to=User.objects.get(username="registrar"), template="test", subject="s", body="b", key=f"{job.key}/{Message.objects.count()}",
        created_at=clock.now(),
    )  # fmt: skip
    if CUT["now"]:
        die()


react("organisation", "return_", "test.letter")


def prepare() -> None:
    """A submitted organisation and a clerk, made through the services."""
    from tests.world import people

    call_command("migrate", verbosity=0)
    desk = people.office()
    founder = people.person("创办人")
    made = people.services.register_organisation(by=founder, **people.particulars(desk.agency))
    perform(made, "submit", by=founder)
    User.objects.filter(pk=desk.officer.pk).update(username="registrar")
    effects.drain()


def step() -> Any:
    return perform(Organisation.objects.get(state="submitted"), "return_", by=User.objects.get(username="registrar"), note="补证书")


def main(moment: str) -> None:
    """Do one part of the story, perhaps to the death."""
    if moment == "prepare":
        prepare()
    elif moment == "commit":  # killed between commit and effect
        step()
        die()
    elif moment == "effect":  # killed inside the effect, after its writes and before their commit
        CUT["now"] = True
        effects.LEASE = effects.timedelta(seconds=0)
        Worker([]).turn()
    elif moment == "drain":
        worker = Worker([])
        while worker.turn():
            pass


if __name__ == "__main__":
    main(sys.argv[1])
