"""Needs in every state, handed in by residents and screened by the office, through the services a person clicks."""

from __future__ import annotations

from typing import Any

from grants.calls.models import Need
from grants.calls.needs import services
from grants.workflow.door import perform
from tests.world.people import Office

WORDING: dict[str, Any] = {
    "title": "失能老人上门护理", "who": "卧床的独居老人", "detail": "出院以后没有人会换药，家属请不到护士。", "field": "medical",
    "street": "望湖街道", "community": "望湖里社区", "people": 120,
}  # fmt: skip


def proposed(desk: Office, **more: Any) -> Need:
    """By a resident without an account, who left a way to be reached."""
    given = {"kind": "resident", "name": "张女士", "contact": "13800138000", **WORDING, **more}
    return services.propose(desk.agency, **given)


def checked(desk: Office, **more: Any) -> Need:
    return perform(proposed(desk, **more), "check_", by=desk.officer)


def published(desk: Office, **more: Any) -> Need:
    return perform(checked(desk, **more), "publish", by=desk.officer)


def fresh(need: Need) -> Need:
    return Need.objects.select_related(*Need.door_select).get(pk=need.pk)
