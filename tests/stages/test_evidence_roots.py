"""台账每日根: a page of days, and a sheet for the notice board that holds the pin `ledger verify` takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from grants import clock, ledger
from grants.ledger.models import Sweep
from grants.people import health
from tests.platform import ledger_book as bk

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)  # the second of March, one in the morning, in Shanghai


def test_each_day_has_its_last_root_and_a_sheet_to_post() -> None:
    roots = []
    for hours in (0, 3, 24):
        with clock.at(MORNING + timedelta(hours=hours)):
            bk.write(2)
            roots.append(bytes(ledger.checkpoint().root).hex())  # type: ignore[union-attr]
    page = Client().get(reverse("desk:roots")).content.decode()
    assert roots[0] not in page and roots[1] in page and roots[2] in page
    answer = Client().get(reverse("desk:root_notice", args=["2026-03-02"]))
    assert answer.status_code == 200
    text = "".join("".join(p.extract_text() for p in PdfReader(BytesIO(answer.content)).pages).split())
    assert roots[1] in text and "台账每日根" in text and "gongchuang+" in text
    for day in ("2026-03-05", "yesterday"):
        assert Client().get(f"/roots/{day}.pdf").status_code == 404


def test_an_empty_log_says_what_will_come() -> None:
    assert "还没有签署过检查点" in Client().get(reverse("desk:roots")).content.decode()


def test_the_operations_page_tells_of_the_night() -> None:
    name = "台账夜间巡检"
    of = lambda: next(sign for sign in health.signs() if str(sign.name) == name)  # noqa: E731
    assert of().well
    Sweep.objects.create(at=clock.now(), ok=True, leaves=5, unsequenced=0, seconds=1.0)
    assert of().well and "5 条" in of().found
    Sweep.objects.create(at=clock.now(), ok=False, leaves=5, unsequenced=0, seconds=1.0, detail="区间 [5, 9)")
    assert not of().well and "[5, 9)" in of().found
    Sweep.objects.create(at=clock.now() - timedelta(days=3), ok=True, leaves=5, unsequenced=0, seconds=1.0)
    assert not of().well
