"""异议 and the awards they concern: which are open, what is held, what is cancelled."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from grants.awards.models import Award, Objection
from grants.workflow.door import perform

OPEN = ("filed", "accepted")


def open_about(award: Award) -> QuerySet[Objection]:
    """Open named objections to this award or to its notice as a whole."""
    about = Q(award_id=award.pk) | Q(award=None, notice_id=award.notice_id, notice__isnull=False)
    return Objection.objects.filter(about, state__in=OPEN).exclude(objector_kind=Objection.Objector.ANONYMOUS)


def concerned(objection: Objection) -> QuerySet[Award]:
    """The award objected to, or every award of the notice, in order of primary key (they are locked one by one)."""
    rows = Award.objects.filter(notice_id=objection.notice_id)
    return (rows if objection.award_id is None else rows.filter(pk=objection.award_id)).order_by("pk")


def hold(objection: Objection, by: Any) -> int:
    """Hold whatever is still in its notice; returns how many. In the caller's transaction."""
    noticed = list(concerned(objection).filter(state="noticed"))
    for award in noticed:
        perform(award, "hold", by=by, note=_("受理异议 %(number)s。") % {"number": objection.number})
    return len(noticed)


def cancel(objection: Objection, by: Any) -> None:
    """Cancel the award objected to; a notice as a whole is put right award by award, by a person."""
    if objection.award_id is None:
        return
    note = _("异议 %(number)s 成立。") % {"number": objection.number}
    for award in concerned(objection).filter(state__in=("noticed", "held")):
        perform(award, "cancel", by=by, note=note)


def free(objection: Objection) -> list[Award]:
    """Held awards that no open objection concerns any more."""
    return [award for award in concerned(objection).filter(state="held") if not open_about(award).exists()]
