"""Erasing what the law lets nobody keep: log and package still hold, and both say which payloads are gone and on what ground."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from grants import clock, ledger
from grants.ledger.models import AuditPayload
from grants.workflow.door import perform
from tests.world import needs, packages, people, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db
GROUND = "个人信息保护法第四十七条"


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Two awards of one call, one with a payment."""
    with shared.rows(django_db_blocker):
        yield packages.projects()


def verified() -> str:
    """What `ledger verify` prints; it raises when the log does not hold."""
    out = io.StringIO()
    call_command("ledger", "verify", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def payload_of(project: Project) -> AuditPayload:
    """One of the call's own: a note or a reason that somebody wrote."""
    found = AuditPayload.objects.filter(event__scope=f"call:{project.call.pk}").order_by("pk").first()
    assert found is not None
    return found


def test_after_an_erasure_log_and_package_hold_and_name_it(two: list[Project], tmp_path: Path) -> None:
    """Before and after; the package is checked by a bare Python."""
    payload = payload_of(two[0])
    uid = str(payload.event.uid)
    assert uid not in verified()
    with clock.at(two[-1].day(3)):
        with transaction.atomic():
            ledger.erase(payload.event_id, actor="system", role="system", ground=GROUND)
        folder = packages.unpacked(two[0], "auditor", tmp_path)
    assert f"{uid} 的附文已依法删除：{GROUND}" in verified()
    found = subprocess.run([sys.executable, "-S", "-E", "verify.py"], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"条目 {uid} 的附文已依法删除({GROUND})" in found.stdout and "结论:完整" in found.stdout


def test_a_payload_that_is_gone_without_an_entry_is_pointed_out(two: list[Project]) -> None:
    """The log holds all the same: nothing that it proves was touched. But somebody has to say who did it."""
    payload = payload_of(two[0])
    uid = str(payload.event.uid)
    payload.delete()
    assert f"{uid} 的附文不在了，台账里却没有删除它的记录" in verified()


def test_retention_erase_leaves_the_log_whole() -> None:
    """A resident's name and telephone are columns, not payloads: after `retention erase` they are nowhere, and nothing in the log is missing."""
    desk = people.office()
    with clock.at(datetime(2026, 1, 5, 12, tzinfo=clock.TZ)):
        need = perform(needs.proposed(desk), "decline", by=desk.officer, answer="已有同类服务，请联系社区。")
    contact = need.contact
    with clock.at(datetime(2026, 8, 6, 12, tzinfo=clock.TZ)):
        call_command("retention", "erase", "--by", desk.officer.username, stdout=io.StringIO())
    assert needs.fresh(need).contact == ""
    told = verified()
    assert "台账完整" in told and "附文已依法删除" not in told
    assert [e.erased for e in ledger.history(need.subject)] == [False] * len(ledger.history(need.subject))
    bodies = b"".join(bytes(body) for body in AuditPayload.objects.values_list("body", flat=True))
    assert contact.encode() not in bodies
