"""The process that solves: `python -m review.assign.worker MEGABYTES SECONDS`, an instance on standard input, the answer on output.

It limits itself before it loads a solver: address space (RLIMIT_AS) and processor time (RLIMIT_CPU). Out comes an npz with a line
of JSON in it (`said`): status optimal, short (the minimum cut), memory or refused; anything else, or nothing, is a broken worker.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY_EXIT = 77
"""Ended because memory ran out, where nothing could be written any more."""


def limit(megabytes: int, seconds: int) -> None:
    """Bound this process. The kernel ends it with SIGXCPU, or SIGKILL a second later; memory beyond the bound is refused."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak() -> int:
    """The largest resident set of this program, KiB. ru_maxrss would do elsewhere; Linux hands a parent's down to whatever it starts."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def solve(data: bytes) -> bytes:
    """The answer to a packed instance, packed."""
    import numpy as np  # noqa: PLC0415 - after the limits

    from review.assign import cut, proof, rounding, stages  # noqa: PLC0415
    from review.assign.instance import Instance, pack  # noqa: PLC0415
    from review.assign.problem import NotSolved  # noqa: PLC0415

    asked = Instance.unpacked(data)
    del data
    arrays: dict[str, Any] = {}
    try:
        found = stages.answer(asked)
        arrays = {"used": found.used, "weights": found.weights, **proof.priced(asked, found)}
        said: dict[str, Any] = {"status": "optimal", "tau": found.shape.tau, "scale": found.scale, "solver": found.by}
        if asked.options.randomised > 1:
            arrays["drawn"] = np.array(rounding.halved(asked, found.used, found.shape), dtype=np.int64)
    except cut.Short as short:
        said = {"status": "short", **short.figures()}
    except NotSolved as failed:
        said = {"status": "refused", "detail": failed.detail}
    said["peak_kb"] = _peak()
    said["cpu_s"] = round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 3)
    return pack({**arrays, "said": np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)})


def main() -> int:
    """Limits, then the work. What a solver's own code prints goes to standard error, never between the bytes of the answer."""
    limit(int(sys.argv[1]), int(sys.argv[2]))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        answer = solve(sys.stdin.buffer.read())
    except MemoryError:
        return MEMORY_EXIT
    with out:
        out.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
