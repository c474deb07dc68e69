"""The audit package: one ZIP with a call's whole record, checked by a bare Python; whatever is changed, the file is named."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bagit
import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.audit import packing
from grants.audit.offline import program
from grants.desk.audit import samples
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects, jobs
from grants.workflow.models import BulkJob
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding, calls, people, review, shared
from tests.world import funding as world
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def three(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Three awards of one call; the first is paid its first tranche and has spent ¥100.00."""
    with shared.rows(django_db_blocker):
        projects = world.begun(amounts=("90000.00", "80000.00", "70000.00"))
        with clock.at(projects[0].day(2)):
            world.paid(projects[0], 1)
            world.expense(projects[0], "100.00")
        yield projects


@pytest.fixture(scope="module")
def bag(three: list[Project], django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The auditor's package of the call, unpacked."""
    with django_db_blocker.unblock(), clock.at(three[-1].day(3)):
        job = packing.pack(three[0].call, packing.KINDS["audit.auditor"], by=three[0].desk.auditor)
        effects.drain()
        found = packing.package_of(job)
        assert found is not None, list(job.items.values_list("outcome", flat=True))
        return unpacked(b"".join(packing.pieces(found)), tmp_path_factory.mktemp("bag"))


@pytest.fixture(autouse=True)
def later(three: list[Project]) -> Iterator[None]:
    with clock.at(three[-1].day(3)):
        yield


def unpacked(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        package.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def checked(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """verify.py of the package with nothing of ours importable."""
    return subprocess.run([sys.executable, "-S", "-E", "verify.py", *more], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")


def test_a_bare_python_finds_the_package_whole_and_says_what_it_cannot_see(bag: Path) -> None:
    found = checked(bag)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "结论:完整 INTACT" in found.stdout
    assert "已付 45000.00 元" in found.stdout
