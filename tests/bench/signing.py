"""`make bench-sign`: signed contracts beside bare renders: CPU of each part, what a hundred cost, and whether memory grows.

    render   the contract with data, tags and fields; bare: WeasyPrint alone on the same HTML
    sign     two parties, PAdES; B-B, and B-LTA with a timestamp authority on loopback in this same process (its CPU is counted in)
    judge    the verdict on a contract signed by both

One process; divide by cores for more. Memory is the resident set after each tenth.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")


def main() -> None:
    """Parse, run, print one table."""
    asked = argparse.ArgumentParser(prog="bench-sign")
    asked.add_argument("--contracts", type=int, default=100)
    options = asked.parse_args()
    django.setup()
    hundred(options.contracts)
    levels()


def hundred(n: int) -> None:
    """n contracts: rendered bare, rendered, signed by two parties (B-B), judged."""
    from django.template.loader import render_to_string

    from grants.documents.contract import TEMPLATE, contract_context, render_contract
    from grants.documents.press import bare_render
    from grants.documents.signing import authority, pades
    from grants.documents.signing.fields import GRANTEE, GRANTOR
    from grants.documents.signing.verdict import judge
    from tests.platform.contract_samples import ordinary
    from tests.world import signing

    authority.init()
    data = ordinary()
    html = render_to_string(TEMPLATE, contract_context(data))
    for warm in range(2):
        judge(signing.by_both())
        bare_render(html)
        render_contract(data, identifier=f"warm:{warm}")
    cost: dict[str, list[float]] = {name: [] for name in ("bare", "render", "sign", "judge")}
    sizes, memory, began = [], [resident()], time.perf_counter()
    wall = 0.0
    for i in range(n):
        cost["bare"].append(cpu(lambda: bare_render(html))[0])
        start = time.perf_counter()
        spent, text = cpu(lambda i=i: render_contract(data, identifier=f"bench:{i}"))
        cost["render"].append(spent)
        spent, both = cpu(lambda text=text: pades.sign(pades.sign(text, GRANTEE, signing.grantee()), GRANTOR, signing.grantor()))
        cost["sign"].append(spent)
        wall += time.perf_counter() - start
        spent, paper = cpu(lambda both=both: judge(both))
        cost["judge"].append(spent)
        assert paper.holds
        sizes.append((len(text), len(both)))
        if (i + 1) % max(1, n // 10) == 0:
            memory.append(resident())
    print(f"{n} contracts of {len(_pages(text))} pages, one process, {time.perf_counter() - began:.1f} s in all, {os.getloadavg()[0]:.1f} load")
    for name, values in cost.items():
        print(f"  {name:<8}{statistics.median(values):7.3f} CPU s median {max(values):7.3f} worst   {statistics.median(values) / statistics.median(cost['bare']):5.2f} of the bare render")
    print(f"  rendered and signed by both: {wall:.1f} s wall for {n}")
    print(f"  size {sizes[0][0] // 1024} KiB unsigned, {sizes[0][1] // 1024} KiB signed by both")
    print(f"  memory, MiB: {' '.join(str(m) for m in memory)}")


def levels(n: int = 5) -> None:
    """What each level adds."""
    from django.conf import settings

    from grants import clock
    from grants.documents.signing import pades
    from grants.documents.signing.fields import GRANTEE
    from grants.documents.signing.verdict import judge
    from tests.world import signing

    stamper = signing.Authority("基准时间戳", at=clock.now())
    stamper.trusted()
    text = signing.printed()
    with signing.stamping(stamper) as address:
        for level in ("B-B", "B-T", "B-LT", "B-LTA"):
            settings.SIGN_LEVEL, settings.TSA_URL = level, "" if level == "B-B" else address
            rows = [cpu(lambda: pades.sign(text, GRANTEE, signing.grantee())) for _ in range(n)]
            seen = [cpu(lambda pdf=pdf: judge(pdf)) for _spent, pdf in rows]
            assert all(paper.holds for _spent, paper in seen)
            added = (len(rows[0][1]) - len(text)) // 1024
            print(f"  {level:<6} sign {statistics.median(r[0] for r in rows):.3f} CPU s   judge {statistics.median(s[0] for s in seen):.3f} CPU s   adds {added} KiB")


def _pages(pdf: bytes) -> list[object]:
    import io

    from pypdf import PdfReader

    return list(PdfReader(io.BytesIO(pdf)).pages)


def resident() -> int:
    """MiB of this process now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


if __name__ == "__main__":
    main()
