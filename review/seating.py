"""What a finished draw makes: the panel with its members and alternates, the meeting with its order, or the places of equals."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.translation import gettext as _

from grants import clock
from grants.ledger import canonical
from grants.people.models import User
from grants.workflow.door import begin
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid
from review import transcript
from review.draw import DrawImpossible
from review.drawing import panel_summary
from review.drawing_parties import shell
from review.findings import check_conflicts
from review.models import ConflictHit, Draw, Expert, Meeting, Panel, PanelMember
from review.results import compute
from review.transcript_reading import check


def complete(draw: Draw, name: str, *, by: User) -> Facts:
    """Draw, keep the transcript, and let the panel or the meeting in; conflicts are checked again. Raises Invalid when the draw cannot stand."""
    try:
        draw.transcript = transcript.run(shell(draw))
    except (transcript.Broken, DrawImpossible) as wrong:
        raise Invalid(_("不能抽取：%(why)s") % {"why": wrong}, rule="draw_stands") from wrong
    check(draw.transcript, complete=True)
    draw.drawn_at = clock.now()
    if draw.about == Draw.About.PANEL:
        draw.panel = _panel(draw, name, by)
    elif draw.about == Draw.About.TIE:
        assert draw.panel is not None  # announced over the equals of a panel
        compute(draw.panel, drawn=draw.transcript["order"])
    else:
        _meeting(draw, by)
    whole = hashlib.sha256(canonical.encode(draw.transcript)).hexdigest()
    return Facts(public={"seed": draw.transcript["seed"], "chosen": draw.transcript["chosen"], "transcript": whole})


def _panel(draw: Draw, name: str, by: User) -> Panel:
    document = draw.transcript
    panel = Panel(call=draw.call, name=name or _("评审组"), convened_by=by, seed=document["seed"], draw=panel_summary(document))
    panel.hides_until = "" if (hiding := panel.rules.review.hiding) is None else str(hiding.until)
    begin(panel, by=by, facts=Facts(public={"seed": panel.seed, "draw": panel.draw}))
    experts = {e.code: e for e in Expert.objects.filter(code__in=document["order"])}
    rows = [(code, False) for code in document["chosen"]] + [(code, True) for code in document["alternates"]]
    PanelMember.objects.bulk_create(
        PanelMember(panel=panel, expert=experts[code], seat=_seats(document)[code], position=at, alternate=waits, chair=at == 1)
        for at, (code, waits) in enumerate(rows, start=1)
    )
    check_conflicts(panel, by=by, moment=ConflictHit.Moment.DRAWN)
    return panel


def _seats(document: dict[str, Any]) -> dict[str, str]:
    return dict(document["announced"]["pool"])


def _meeting(draw: Draw, by: User) -> Meeting:
    document = draw.transcript
    told = {"method": transcript.METHOD, "bids": [code for code, _seat in document["announced"]["pool"]], "witness": document["beacon"]["value"]}
    meeting = Meeting(panel=draw.panel, seed=document["seed"], draw={**told, "order": document["order"]})
    return begin(meeting, by=by, facts=Facts(public={"seed": meeting.seed, "draw": meeting.draw}))
