"""`make bench-rush`: the last hour of a call. N organisations hand in, most of them in the last ten seconds, some really late.

    .ci/postgres python -m tests.bench.rush --bids 300 --seconds 60

A throw-away PostgreSQL, gunicorn with two workers as in docs/operations.md, the embedded worker beside it (receipts, letters, the clock), and
clients in another process group that open as many connections as they like. With nginx (in PATH or NGINX=…) its stamp decides what is in time;
without one, time spent waiting for a free worker is not seen, and the last column says whom that hurts. "In time" is the strict reading: the
client began to send before the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
LAST, LATE = 0.60, 0.05
"""Shares that hand in within the last ten seconds, and after the deadline."""
TOKEN = "a" * 32
NGINX_CONF = """daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log error; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{door} backlog=4096;
        location / {{
            proxy_pass http://127.0.0.1:{port}; proxy_request_buffering on; proxy_read_timeout 120s;
            proxy_set_header Host $host; proxy_set_header X-Body-Complete $msec;
        }}
    }}
}}
"""


def main() -> None:
    """Prepare, serve, rush, count."""
    asked = argparse.ArgumentParser(prog="bench.rush")
    asked.add_argument("--bids", type=int, default=300)
    asked.add_argument("--seconds", type=int, default=60, help="from the first to the deadline")
    asked.add_argument("--drain", type=int, default=30, help="SUBMISSION_DRAIN_SECONDS")
    asked.add_argument("--client", help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.client:
        print(json.dumps(asyncio.run(rush(json.loads(Path(options.client).read_text())))))
        return
    folder = Path(tempfile.mkdtemp(prefix="rush-"))
    try:
        measure(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(options: argparse.Namespace, folder: Path) -> None:
    os.environ |= {"SUBMISSION_DRAIN_SECONDS": str(options.drain), "ARRIVAL_HEADER": "X-Body-Complete", "ALLOWED_HOSTS": "127.0.0.1"}
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "postgresql":
        raise SystemExit("bench.rush measures on PostgreSQL: make bench-rush")
    call_command("migrate", verbosity=0)
    call, ready = prepared(options.bids)
    nginx = os.environ.get("NGINX") or shutil.which("nginx")
    servers, address = served(folder, nginx)
    try:
        closes = datetime.now(UTC) + timedelta(seconds=options.seconds + 5)
        type(call)._base_manager.filter(pk=call.pk).update(opens_at=closes - timedelta(days=30), closes_at=closes)
        plan = {"port": address, "closes": closes.timestamp(), "sent": schedule(ready, options.seconds)}
        (folder / "plan.json").write_text(json.dumps(plan))
        command = [sys.executable, "-m", "tests.bench.rush", "--client", str(folder / "plan.json")]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, start_new_session=True).stdout)
        closed_after = closing(call, closes, options.drain)
    finally:
        for child in servers:
            child.terminate()
            child.wait()
    report(told, call, closes, f"{'nginx, 2 gunicorn workers' if nginx else '2 gunicorn workers, no front door'}, drain {options.drain} s")
    print(f"  closed                      {closed_after:8.1f} s after the deadline")


def prepared(n: int) -> tuple[Any, list[dict[str, str]]]:
    """An open call and n complete bids, each of another organisation with its own signatory and session."""
    from django.conf import settings

    from grants import clock
    from tests.world import bidding, calls, people

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    desk = people.office()
    call = calls.opened(desk, calls.rules("YX-2026-02"))
    ready, began = [], time.monotonic()
    with clock.at(bidding.opens(call)):
        for _each in range(n):
            body = people.body(desk)
            bid = bidding.filled(call, body)
            ready.append({"bid": str(bid.pk), "session": session(body.signatory)})
    print(f"prepared {n} bids in {time.monotonic() - began:.0f} s")
    pledges = bidding.pledges(call)
    return call, [{**each, "body": urlencode([("csrfmiddlewaretoken", TOKEN), *(("declarations", d) for d in pledges)])} for each in ready]


def session(user: Any) -> str:
    """The key of a signed-in session of `user`."""
    from django.contrib.auth import login
    from django.contrib.sessions.backends.db import SessionStore
    from django.http import HttpRequest

    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    return str(request.session.session_key)


def schedule(ready: list[dict[str, str]], seconds: int) -> list[dict[str, Any]]:
    """Each bid with the second, relative to the deadline, at which its client begins."""
    dice, n = random.Random(20260326), len(ready)
    late, last = int(n * LATE), int(n * LAST)
    at = [dice.uniform(0.05, 5) for _ in range(late)] + [dice.uniform(-10, -0.05) for _ in range(last)]
    at += [dice.uniform(-seconds, -10) for _ in range(n - late - last)]
    dice.shuffle(at)
    return [{**each, "at": moment} for each, moment in zip(ready, at, strict=True)]


def served(folder: Path, nginx: str | None) -> tuple[list[subprocess.Popen[bytes]], int]:
    """gunicorn, the worker and perhaps nginx, listening; and the port to knock at."""
    port, door = free_port(), free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "grants.config.wsgi", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--timeout", "60",
                "--log-level", "error"]  # fmt: skip
    with (folder / "served.log").open("wb") as log:
        children = [subprocess.Popen(gunicorn, stderr=log), subprocess.Popen([sys.executable, "manage.py", "worker"], stdout=log, stderr=log)]
        if nginx:
            (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=port, door=door))
            children.append(subprocess.Popen([nginx, "-c", str(folder / "nginx.conf")], stderr=log))
    for listening in (port, door) if nginx else (port,):
        wait_for(listening)
    return children, door if nginx else port


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_for(port: int) -> None:
    for _each in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on {port}")


def closing(call: Any, closes: datetime, drain: int) -> float:
    """Seconds from the deadline until the call was closed."""
    while datetime.now(UTC) < closes + timedelta(seconds=drain + 60):
        if type(call)._base_manager.filter(pk=call.pk, state="closed").exists():
            return (datetime.now(UTC) - closes).total_seconds()
        time.sleep(0.2)
    raise SystemExit("the call was not closed")


# --- the clients: their own process group, no cap on connections


async def rush(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every client at its second."""
    return await asyncio.gather(*(client(plan, each) for each in plan["sent"]))


async def client(plan: dict[str, Any], each: dict[str, Any]) -> dict[str, Any]:
    """Hand in once; a connection that breaks or a 5xx is tried again, as a person would."""
    await asyncio.sleep(max(0.0, plan["closes"] + each["at"] - time.time()))
    began, tries, status = time.time(), 0, 0
    while tries < 20 and (status == 0 or status >= 500):
        if tries:
            await asyncio.sleep(0.5)
        tries += 1
        try:
            status = await asyncio.wait_for(post(plan["port"], each), 120)
        except (OSError, TimeoutError, ValueError, IndexError):
            status = 0
    return {"bid": each["bid"], "began": began, "took": time.time() - began, "status": status, "tries": tries}


async def post(port: int, each: dict[str, Any]) -> int:
    """Status of one POST over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = each["body"].encode()
    head = (
        f"POST /bids/{each['bid']}/check/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Cookie: session={each['session']}; csrf={TOKEN}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


# --- the count


def report(told: list[dict[str, Any]], call: Any, closes: datetime, how: str) -> None:
    """What became of each, beside what the database holds."""
    from bidding.models import Bid

    held = set(map(str, Bid._base_manager.filter(call=call, state="submitted").values_list("pk", flat=True)))
    deadline = closes.timestamp()
    acknowledged = [t for t in told if t["status"] == 302]
    in_time = [t for t in told if t["began"] < deadline]
    took = sorted(t["took"] for t in told)
    each_second: dict[int, int] = {}
    for t in acknowledged:
        each_second[int(t["began"] + t["took"])] = each_second.get(int(t["began"] + t["took"]), 0) + 1
    cuts = statistics.quantiles(took, n=100)
    after = sum(1 for t in acknowledged if t["began"] + t["took"] >= deadline)
    print(f"{len(told)} clients, {len(in_time)} in time; {how}")
    for label, value in (
        ("acknowledged", len(acknowledged)), ("acknowledged but lost", sum(t["bid"] not in held for t in acknowledged)),
        ("late but accepted", sum(t["began"] >= deadline for t in acknowledged)),
        ("in time but refused", sum(t["status"] != 302 for t in in_time)),
        ("answered after the deadline", after), ("peak, a second", max(each_second.values(), default=0)),
        ("tried more than once", sum(t["tries"] > 1 for t in told)),
    ):  # fmt: skip
        print(f"  {label:28}{value:8d}")
    print(f"  {'statuses':28}{dict(Counter(t['status'] for t in told))!s:>8}")
    print(f"  {'p50 / p95 / p99 / most':28}{cuts[49]:8.2f} / {cuts[94]:.2f} / {cuts[98]:.2f} / {took[-1]:.2f} s")


if __name__ == "__main__":
    main()
