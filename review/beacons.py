"""公共随机源: what decides a draw is named before it falls — a lottery's issue, an index of a day, a round of drand, or what is thrown in the room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from grants import clock
from grants.ledger.personal import found_in
from grants.workflow.refusals import Invalid
from review.drawing_parties import plain
from review.models import Draw
from review.transcript import round_moment


def settled(beacon: Mapping[str, Any]) -> tuple[datetime, dict[str, str]]:
    """When the beacon falls, and how the announcement names it. Raises Invalid beside the field for one that is known already or not named.

    beacon: {"kind": "named" | "said", "source", "round", "due": datetime}, or {"kind": "drand", "round": int}.
    """
    if beacon["kind"] == "drand":
        number = int(beacon["round"])
        moment = round_moment(number)
        return _ahead(datetime.fromisoformat(moment)), {"kind": "drand", "source": "drand quicknet", "round": str(number), "due": moment}
    source, issue = public("source", plain(beacon["source"])), public("round", plain(beacon.get("round", "")))
    if not source or (beacon["kind"] == "named" and not issue):
        raise invalid("source", _("请写明公共随机源的名称和期号，例如“中国福利彩票双色球”第 2026039 期；现场产生的，写明怎样产生。"))
    due = _ahead(beacon["due"].replace(microsecond=0))
    return due, {"kind": beacon["kind"], "source": source, "round": issue, "due": Draw.stamp(due)}


def public(field: str, text: str) -> str:
    """What is announced is public and in the log in the clear: it may hold nobody's number. Raises Invalid."""
    if any(True for _found in found_in({field: text}, field)):
        raise invalid(field, _("这里的内容会公开并写入台账，看起来包含证件号、电话或账号，请改写。"))
    return text


def invalid(field: str, sentence: str) -> Invalid:
    """A refusal beside one field of a draw's form."""
    return Invalid(sentence, rule=f"draw_{field}", problems={field: [sentence]})


def _ahead(due: datetime) -> datetime:
    if due <= clock.now():
        raise invalid("due", _("公共随机源须在将来产生，否则公布时已经知道结果。"))
    return due
