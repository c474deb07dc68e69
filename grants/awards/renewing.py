"""Signed contracts stay provable: a new document timestamp before the last one's certificate runs out (PAdES B-LTA).

A daily chore renews what is due; `manage.py contract due` lists it and `manage.py contract renew` does it now.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from grants import clock
from grants.awards import esigning
from grants.awards.models import Contract
from grants.documents.files import store
from grants.workflow.door import SYSTEM, perform

log = logging.getLogger(__name__)
AHEAD = timedelta(days=90)  # an authority that is away for a season costs nothing
BATCH = 20  # a run of the chore: the worker has other duties
PAPER_BYTES = 20 * 1024 * 1024
IN_FORCE = ("effective", "completed", "ended")


def due(*, within: timedelta = AHEAD) -> QuerySet[Contract]:
    """Contracts whose last timestamp ends within that time, soonest first. Without a timestamp of that kind there is nothing to renew."""
    rows = Contract.objects.filter(state__in=IN_FORCE, signed__isnull=False, provable_until__lt=clock.now() + within)
    return rows.select_related(*Contract.door_select, "signed").order_by("provable_until", "number")


def renew(contract: Contract) -> Contract:
    """Ask for the timestamp, judge the file, and put it in by `renew_stamp`. Half a second and the authority's time.

    Raises CannotSign (no authority; the last stamp does not hold any more), a refusal of the step, or what the network raises.
    """
    from grants.documents.signing import judging  # noqa: PLC0415 - pyHanko costs half a second

    longer = judging.renew(esigning.base(contract))
    checked = esigning.check(contract, contract.signed_by[-1], longer)
    stored = store(longer, name="contract.pdf", allowed={"pdf"}, max_bytes=PAPER_BYTES)
    return perform(contract, "renew_stamp", by=SYSTEM, signed=stored, checked=checked)


def renew_due() -> int:
    """The chore: what is due, a batch at most; returns how many. One that cannot be renewed is logged and the others go on.

    An authority that does not answer ends the run: twenty waits of twenty seconds would hold the worker up.
    """
    if not settings.TSA_URL:
        return 0
    done = 0
    for contract in due().filter(provable_until__gt=clock.now())[:BATCH]:  # what has run out cannot be renewed and must not stand in the way
        try:
            renew(contract)
            done += 1
        except OSError:
            log.exception("the timestamp authority did not answer; tried again tomorrow")
            break
        except Exception:  # a broken paper must not keep the others from being renewed
            log.exception("no new timestamp for contract %s, provable until %s", contract.number, contract.provable_until)
    return done

