"""Audit packages: made, unpacked, tampered with, checked."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grants import clock
from grants.audit import packing
from grants.workflow import effects
from grants.workflow.models import BulkJob
from tests.world import funding
from tests.world.funding import Project


def projects() -> list[Project]:
    """Two awards of one call; the first is paid its first tranche and has spent ¥100.00."""
    made = funding.begun(amounts=("90000.00", "80000.00"))
    with clock.at(made[0].day(2)):
        funding.paid(made[0], 1)
        funding.expense(made[0], "100.00")
    return made


def packed(project: Project, kind: str = "auditor", *, by: Any = None, **more: Any) -> BulkJob:
    """The job, done."""
    job = packing.pack(project.call, packing.KINDS[f"audit.{kind}"], by=by or project.desk.auditor, **more)
    effects.drain()
    job.refresh_from_db()
    return job


def unpacked(project: Project, kind: str, folder: Path, **more: Any) -> Path:
    """The package of a job of this kind, unpacked below `folder`."""
    found = packing.package_of(packed(project, kind, **more))
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(b"".join(packing.pieces(found)))) as package:
        package.extractall(folder)
    return next(path for path in folder.iterdir() if path.is_dir())


def program(folder: Path) -> Any:
    """verify.py out of the package, as a module: many checks in one process. Nothing compiled is left in the package: it would be a file too many."""
    spec = importlib.util.spec_from_file_location("package_verify", folder / "verify.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = kept
    return module


def said(check: Any, folder: Path, *more: str) -> str:
    """The refusal's line, or "" when the package passes."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = check.main([str(folder), *more])
    lines = out.getvalue().splitlines()
    assert (code == 0) == (lines[-1].startswith("结论:完整")), lines
    return "" if code == 0 else next(line for line in lines if line.startswith("✗"))


def rewrap(folder: Path) -> None:
    """What whoever edits a package does next: write every manifest anew over what is there now."""
    payload = sorted(p for p in (folder / "data").rglob("*") if p.is_file())
    oxum = f"{sum(p.stat().st_size for p in payload)}.{len(payload)}"
    info = (folder / "bag-info.txt").read_text("utf-8").splitlines()
    (folder / "bag-info.txt").write_text("".join(f"Payload-Oxum: {oxum}\n" if x.startswith("Payload-Oxum") else x + "\n" for x in info), encoding="utf-8")
    _manifest(folder, "manifest-sha256.txt", payload, hashlib.sha256)
    tags = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("tagmanifest"))
    _manifest(folder, "tagmanifest-sha256.txt", tags, hashlib.sha256)
    _manifest(folder, "tagmanifest-sha512.txt", tags, hashlib.sha512)


def _manifest(folder: Path, name: str, files: list[Path], digest: Callable[[bytes], Any]) -> None:
    rows = sorted((p.relative_to(folder).as_posix(), digest(p.read_bytes()).hexdigest()) for p in files)
    (folder / name).write_text("".join(f"{found}  {path}\n" for path, found in rows), encoding="utf-8")
