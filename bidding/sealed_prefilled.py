"""带入 on the sealed page: what the organisation has already told, as controls that the browser fills while they are blank.

The server knows these texts: they stand in the profile or in bids that were submitted open, or that have been opened. Whether a writer keeps, changes
or deletes them it does not learn; the marks "来自单位资料，请确认" live in the draft, as everything else does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from bidding.forms import MemberRow, table
from bidding.models import Bid, Prefill
from bidding.prefilled import TEAM, Offer, earlier_team, offers
from bidding.section_forms import SectionForm
from grants.calls.rulebook.parts.form import Section

Carried = dict[str, Any]
"""{answer: the box (data-answer), label, told: where it comes from, pairs: [[control, text], …]}."""


def carried(bid: Bid, sections: list[Section]) -> list[Carried]:
    """What the ordinary pages would have carried over (`services.start_prefilled`), by the controls of the sealed page. sections: as they are asked."""
    offered = offers(bid.rules, bid.organisation)
    return [*(one for section in sections for one in _of_section(section, offered)), *_of_team(bid)]


def _of_section(section: Section, offered: list[Offer]) -> Iterator[Carried]:
    mine = {offer.field: offer for offer in offered if offer.section == section.code}
    form = SectionForm(section, answers={code: offer.value for code, offer in mine.items()}, prefix=f"s-{section.code}")
    for field in section.fields:
        if field.code in mine:
            pairs = [
                [bound.html_name, text]
                for name in form.names_of(field.code)
                for bound in [form[name]]
                for text in _texts(bound.value())
            ]
            yield {"answer": form.add_prefix(field.code), "label": field.label, "told": mine[field.code].told, "pairs": pairs}


def _of_team(bid: Bid) -> Iterator[Carried]:
    people = earlier_team(bid.organisation)
    if not people:
        return
    rows = table(MemberRow)(initial=people, prefix=TEAM, form_kwargs={"bid": bid})
    rows.extra = 0
    yield {
        "answer": TEAM,
        "label": _("人员名单"),
        "told": str(Prefill.Source.BID.label),
        "pairs": [list(pair) for pair in rows.controls() if pair[1]],
    }


def _texts(value: Any) -> list[str]:
    """A control's value as a browser would send it: several choices are several texts, blanks are none."""
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values if each not in (None, "", False)]
