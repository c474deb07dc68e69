"""离线封标 judged before it is sealed: on a computer without this site, by the form and the rules that judge the page.

The sheet carries the call's rules and what kind of body bids; from these a bid is made in memory. No question is put to a database: which
sponsors there are stands in the sheet, and nothing was carried over from a profile, since the bidder typed all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from bidding.completeness import sponsor_wanted
from bidding.models import Bid
from bidding.sealed_form import SealedForm, as_data
from bidding.sealing.refusals import SealRefused
from bidding.sealing.sheet import Sheet, fields
from grants.calls.models import Call, RulesAltered, RulesVersion
from grants.people.models import Organisation

SPONSOR = "about-sponsor"


def site(bid: Bid) -> dict[str, Any]:
    """What the sheet says so that a bid can be judged away from the site. JSON types."""
    rules = bid.rules_version
    return {"document": rules.document, "kind": str(bid.organisation.kind_of_body)}


def problems(sheet: Sheet, answers: Mapping[str, Any], pledges: Sequence[str], attachments: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """(control, sentence) of everything that the page would refuse, in its order; nothing for a sheet of before it carried the rules.

    Raises SealRefused: as `sealing.sheet.fields`; format (rules that are not those of the sheet).
    """
    if not sheet.site:
        return []
    bid = _bid(sheet)
    data = as_data(fields(sheet, answers))
    data.setlist("declarations", list(pledges))
    form = SealedForm(bid, data, _uploads(attachments))
    return [*_sponsor(sheet, answers, bid), *((address.removeprefix("#id_").removeprefix("#"), told) for address, told in form.problems())]


def _bid(sheet: Sheet) -> Bid:
    try:
        version = RulesVersion(number=1, document=str(sheet.site["document"]), hash=sheet.rules)
        call = Call(code=sheet.place.call, title=version.rules.title.zh, rules_version=version)
        body = Organisation(kind_of_body=str(sheet.site["kind"]))
    except (ValueError, KeyError, RulesAltered) as wrong:
        raise SealRefused("format", "rules") from wrong
    body.judged_elsewhere = True  # type: ignore[attr-defined]
    return Bid(call=call, rules_version=version, organisation=body, sealed=True)


def _uploads(attachments: Mapping[str, bytes]) -> MultiValueDict[str, Any]:
    found: MultiValueDict[str, Any] = MultiValueDict()
    for path, content in attachments.items():
        item, _slash, name = path.partition("/")
        found.appendlist(f"paper-{item}", SimpleUploadedFile(name, content))
    return found


def _sponsor(sheet: Sheet, answers: Mapping[str, Any], bid: Bid) -> Iterator[tuple[str, str]]:
    """Which agreements hold, the sheet knows: its choices are those of the day it was handed out."""
    if SPONSOR in sheet.controls and not answers.get(SPONSOR):
        yield SPONSOR, sponsor_wanted(bid.rules)
