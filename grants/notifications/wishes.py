"""通知方式: of which matters a person wants mail at once, once a day, or not at all. The inbox keeps every letter whatever is wished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from grants.notifications.models import Wish

MATTERS = {
    "calls": _("征集公告、补充公告与答疑"),
    "bidding": _("申报、补正与资格审查"),
    "review": _("评审"),
    "awards": _("立项、公示、异议与协议"),
    "funding": _("拨款"),
    "evaluation": _("评估与结项"),
    "people": _("单位资料、账户与账号安全"),
}
"""What letters are about: the folder of the template, or what its name begins with."""
_BEGINNINGS = (("call_", "calls"), ("question", "calls"), ("answers", "calls"), ("correction", "bidding"))


def matter_of(template: str) -> str:
    """The matter of a template, e.g. "bidding/receipt" → bidding; what belongs nowhere else is about people and accounts."""
    folder, slash, _name = template.partition("/")
    if slash:
        return folder if folder in MATTERS else "people"
    return next((matter for beginning, matter in _BEGINNINGS if template.startswith(beginning)), "people")


def ways_for(people: Iterable[Any], template: str) -> Mapping[Any, str]:
    """Primary key → way of everybody who wishes something else than mail at once. One query."""
    rows = Wish.objects.filter(to__in=[person.pk for person in people], matter=matter_of(template))
    return dict(rows.values_list("to_id", "way"))


def of(person: Any) -> dict[str, str]:
    """Matter → way, for every matter."""
    wished = dict(Wish.objects.filter(to=person).values_list("matter", "way"))
    return {matter: wished.get(matter, Wish.Way.AT_ONCE) for matter in MATTERS}


def wish(person: Any, ways: Mapping[str, str]) -> None:
    """Keep what was chosen; unknown matters and ways are a programmer's error (KeyError, ValueError), not a choice."""
    with transaction.atomic():
        for matter, way in ways.items():
            Wish.objects.update_or_create(to=person, matter=_known(matter), defaults={"way": Wish.Way(way)})


def _known(matter: str) -> str:
    if matter not in MATTERS:
        raise KeyError(matter)
    return matter
