"""Projects whose papers archives law keeps: whose names stay, and until when (`grants.people.erasing`, `bidding.terms`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from bidding.terms import hold
from grants.awards.models import Award
from grants.clock import TZ
from grants.ledger.models import AuditEvent
from grants.people.erasing import Hold, Keeper, keep, later
from grants.people.models import User
from grants.workflow.refusals import Sentence

ENDINGS = ("award.close", "award.terminate")


def kept_until(award: Award) -> date | None:
    """The first day on which a project's papers may go: its 保管年限 from its end on. None while it runs."""
    ended = AuditEvent.objects.filter(subject=award.subject, event__in=ENDINGS).aggregate(at=Max("at"))["at"]
    if ended is None or award.call.rules_version is None:
        return None
    return later(ended.astimezone(TZ).date(), 12 * award.call.rules_version.rules.retention.file_years)


def _holds_bid(bid: Any) -> Sentence | None:
    award = Award.objects.filter(bid=bid).exclude(state="cancelled").select_related("call__rules_version").first()
    if award is None:
        return None
    until = kept_until(award)
    if until is None:
        return _("项目 %(award)s 还没有结项，档案须保留；结项后按征集规则的保管年限起算。") % {"award": award.number}
    return _("项目 %(award)s 的档案须按征集规则保管到 %(day)s，到期后经鉴定销毁。") % {"award": award.number, "day": until}


def _signed(user: User) -> Any:
    return Award.objects.filter(bid__versions__submitted_by=user).exclude(state="cancelled").select_related("call__rules_version").distinct()


def _holds(user: User) -> Iterator[Hold]:
    for award in _signed(user):
        yield Hold(_("签署过立项项目 %(award)s 的申报。") % {"award": award.number}, _("档案法、征集规则的档案保管年限"), kept_until(award))


def register() -> None:
    """Hand this stage's part up."""
    keep(Keeper("projects", lambda user: {"projects": [award.number for award in _signed(user)]}, _holds))
    hold(_holds_bid)
