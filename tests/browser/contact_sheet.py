"""A contact sheet of the whole site: every kind of page, desktop and telephone, Chinese and English, to be looked at page by page.

    make screenshots FOLDER=/tmp/sheet           # photographs the loaded demonstration (make demo first)

writes FOLDER/index.html, the pictures beside it, and sheet-01.png … with twelve pages each. Pages are found by walking as every role of the
demonstration; what sticks out of a telephone is listed at the end and makes the command fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import django

WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
WAYS = [("zh-hans", "wide", WIDE), ("zh-hans", "narrow", NARROW), ("en", "wide", WIDE), ("en", "narrow", NARROW)]
WALKERS = (
    "", "mz-officer", "mz-approver", "mz-finance", "mz-auditor", "tiyu", "xiyang", "huzhu", "lianhe", "expert05", "expert01",
    "evaluator1", "operator", "observer", "wh-officer", "admin",
)  # fmt: skip
TALLEST, PER_SHEET = 6000, 12  # pixels of a page that are kept; pages on one PNG


@contextmanager
def served(port: int) -> Iterator[str]:
    """The demonstration on this machine, until the pictures are taken."""
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload", "--insecure"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _second in range(120):
            try:
                urllib.request.urlopen(f"{address}/style/", timeout=5).read()
                break
            except OSError:
                time.sleep(1)
        yield address
    finally:
        child.terminate()
        child.wait()


def found() -> dict[str, list[Any]]:
    """User name → pages whose kind nobody before them reached."""
    from grants.people.models import User
    from tests.world.crawl import walk

    seen: set[str] = set()
    pages: dict[str, list[Any]] = {}
    for name in WALKERS:
        user = User.objects.filter(username=name).first() if name else None
        if name and user is None:
            continue
        pages[name] = [page for page in walk(user, server="127.0.0.1") if page.kind not in seen]
        seen |= {page.kind for page in pages[name]}
    return pages


def sought(seen: set[str]) -> dict[str, list[Any]]:
    """Pages that nobody is led to by a link just now (a queue is empty, a step is not due, signing out): each address with an object of every state."""
    from tests.access.addresses import DEFAULT, MORE, SEGMENTS, addresses

    pages: dict[str, list[Any]] = {}
    people = [(name, _browser(name)) for name in WALKERS]
    for address in addresses():
        if any(kind.split(" ")[0] == address.name for kind in seen) or address.name in GENERIC:
            continue
        word = address.route.partition("<uuid:pk>")[0].strip("/").rpartition("/")[2]
        wanted = SEGMENTS.get(word) or DEFAULT.get(address.name.partition(":")[0], "")
        hit = _first_page(address, wanted, MORE.get(address.name, {}), people)
        if hit is not None:
            pages.setdefault(hit[0], []).append(hit[1])
    return pages


GENERIC = ("desk:object", "desk:step", "desk:file")


def _browser(name: str) -> Any:
    from django.test import Client

    from grants.people.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    user = User.objects.filter(username=name).first() if name else None
    if user is not None:
        client.force_login(user)
    return client


def _first_page(address: Any, wanted: str, more: dict[str, Any], people: list[tuple[str, Any]]) -> tuple[str, Any] | None:
    """(user name, page) of the first person and object for whom the address answers with a page."""
    from django.urls import NoReverseMatch, reverse

    from tests.world.crawl import Found

    for row in _one_of_each_state(wanted) if "pk" in address.keys else [None]:
        known = {"pk": getattr(row, "pk", None), "code": getattr(row, "code", None), "number": 1, "year": 2026, **more}
        try:
            path = reverse(address.name, kwargs={key: known[key] for key in address.keys})
        except (KeyError, NoReverseMatch):
            return None
        for name, client in people:
            answer = client.get(path)
            if answer.status_code == 405:
                return None
            if answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
                return name, Found(path, address.name, 200, "")
    return None


def _one_of_each_state(kind: str) -> list[Any]:
    from grants.workflow.describe import machine_of

    try:
        machine = machine_of(kind)
    except LookupError:
        return []
    rows = machine._base_manager.order_by("-created_at")
    found = [rows.filter(state=state).first() for state in machine.States.values]
    return [row for row in found if row is not None]


def photographed(folder: Path, address: str, pages: dict[str, list[Any]]) -> tuple[list[tuple[str, Any, list[str]]], list[str]]:
    """(user name, page, four pictures) of every page, and what sticks out of a telephone."""
    from playwright.sync_api import sync_playwright

    rows, faults = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        for name, kinds in pages.items():
            tab = browser.new_context(base_url=address, locale="zh-CN").new_page()
            if name:
                tab.context.add_cookies([session_of(name, address)])
            for page in kinds:
                pictures = []
                for language, way, size in WAYS:
                    picture = f"{len(rows):03}-{re.sub('[^a-z0-9]+', '-', page.kind.lower())}-{language[:2]}-{way}.jpg"
                    faults += shot(tab, page.path, language, size, folder / picture)
                    pictures.append(picture)
                rows.append((name or "visitor", page, pictures))
            tab.context.close()
    return rows, faults


def session_of(name: str, address: str) -> dict[str, str]:
    from django.conf import settings
    from django.test import Client

    from grants.people.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=name))
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": address}


def shot(tab: Any, path: str, language: str, size: dict[str, int], picture: Path) -> list[str]:
    tab.context.add_cookies([{"name": "django_language", "value": language, "url": "http://127.0.0.1"}])
    tab.set_viewport_size(size)
    tab.goto(path)
    wide, tall = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(tall, TALLEST)}
    tab.screenshot(path=str(picture), type="jpeg", quality=70, full_page=True, clip=clip)
    return [f"{path} ({language}) is {wide} px wide on a screen of {size['width']}"] if wide > size["width"] else []


def written(folder: Path, rows: list[tuple[str, Any, list[str]]]) -> None:
    """index.html: a row per page, its four pictures, each a link to itself in full size."""
    cells = [
        f"<tr><th>{escape(page.kind)}<br>{escape(name)}<br>{escape(page.path)}</th>"
        + "".join(
            f'<td><a href="{p}"><img loading="lazy" width="{w}" src="{p}" alt=""></a></td>'
            for p, w in zip(pictures, (480, 160) * 2, strict=True)
        )
        + "</tr>"
        for name, page, pictures in rows
    ]
    head = '<!doctype html><meta charset="utf-8"><title>Contact sheet</title><style>th{width:14em;text-align:left;word-break:break-all}td{vertical-align:top}</style>'
    (folder / "index.html").write_text(f"{head}<table>{''.join(cells)}</table>", encoding="utf-8")


def sheets(folder: Path, rows: list[tuple[str, Any, list[str]]]) -> None:
    """Twelve pages on a PNG: Chinese, desktop and telephone side by side."""
    from PIL import Image

    for at in range(0, len(rows), PER_SHEET):
        sheet = Image.new("RGB", (6 * 420, 2 * 900), "#888888")
        for place, (_name, _page, pictures) in enumerate(rows[at : at + PER_SHEET]):
            x, y = place % 6 * 420, place // 6 * 900
            for picture, left, wide in ((pictures[0], 0, 300), (pictures[1], 304, 110)):
                image = Image.open(folder / picture)
                image = image.resize((wide, max(1, round(image.height * wide / image.width))))
                sheet.paste(image.crop((0, 0, wide, min(image.height, 890))), (x + left, y))
        sheet.save(folder / f"sheet-{at // PER_SHEET + 1:02}.png")


def loaded() -> bool:
    """Whether the demonstration is there to be photographed: its database may not even have been migrated."""
    from django.db import DatabaseError

    from grants.desk.demo.ground import Ground
    from grants.desk.demo.ground import found as state

    try:
        return state() is Ground.LOADED
    except DatabaseError:
        return False


def main(folder: Path, port: int) -> int:
    if not loaded():
        print("没有装好的演示数据，请先运行 make demo / no demonstration is loaded: run make demo first", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    pages = found()
    for name, more in sought({page.kind for each in pages.values() for page in each}).items():
        pages[name] = [*pages.get(name, []), *more]
    print(f"{sum(map(len, pages.values()))} kinds of pages")
    with served(port) as address:
        rows, faults = photographed(folder, address, pages)
    written(folder, rows)
    sheets(folder, rows)
    print("\n".join([*faults, f"{len(rows)} pages: {folder / 'index.html'}"]))
    return 1 if faults else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8899))
