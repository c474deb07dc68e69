"""Ask the worker: its own process with bounded memory and time, killed when it is late; every failure is a typed refusal. Pure.

The answer is used only when it passes its own certificate (`review.assign.check`), whatever the worker said about it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from review.assign.instance import Instance, unpack
from review.assign.problem import NotSolved
from review.assign.worker import MEMORY_EXIT

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Limits:
    """megabytes: address space of the worker. cpu_seconds: its processor time. seconds: how long anybody waits for it."""

    megabytes: int = 6144
    cpu_seconds: int = 900
    seconds: float = 1200

    @classmethod
    def usual(cls) -> Limits:
        """As the environment says: GONGCHUANG_ASSIGN_MEGABYTES, GONGCHUANG_ASSIGN_SECONDS (processor; the wait is a third longer).

        Raises ValueError when one of them is no whole number.
        """
        cpu = int(os.environ.get("GONGCHUANG_ASSIGN_SECONDS") or cls.cpu_seconds)
        return cls(int(os.environ.get("GONGCHUANG_ASSIGN_MEGABYTES") or cls.megabytes), cpu, cpu * 4 / 3)


def ask(asked: Instance, limits: Limits | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the worker said, its arrays). Raises NotSolved: time, memory, broken, refused."""
    bounds = limits or Limits.usual()
    command = [sys.executable, "-m", "review.assign.worker", str(bounds.megabytes), str(bounds.cpu_seconds)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, no shell
            command, input=asked.packed(), capture_output=True, timeout=bounds.seconds, check=False, cwd=ROOT, env=_environment()
        )
    except subprocess.TimeoutExpired as late:
        raise NotSolved("time") from late
    if ended.returncode != 0:
        raise NotSolved(_why(ended.returncode, ended.stderr), _last(ended.stderr))
    return read(ended.stdout)


def read(output: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The worker's bytes. Raises NotSolved for anything that is no answer."""
    try:
        arrays = unpack(output)
        said = json.loads(arrays.pop("said").tobytes())
    except (ValueError, KeyError, OSError) as garbled:
        raise NotSolved("broken") from garbled
    if said.get("status") == "refused":
        raise NotSolved("refused", str(said.get("detail", "")))
    return said, arrays


def _why(code: int, told: bytes) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "time"
    if code == MEMORY_EXIT or b"MemoryError" in told or b"bad_alloc" in told or b"annot allocate" in told:
        return "memory"
    return "broken"


def _last(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _environment() -> Mapping[str, str]:
    """One thread, our tree first; nothing of the caller's secrets is needed."""
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "HOME") if k in os.environ}
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**kept, **one, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
