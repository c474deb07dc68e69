"""Walking through the site as one person: every link on every page, one page of each kind. New pages are found by themselves."""

from __future__ import annotations

import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve
from openpyxl import load_workbook

START = ("/", "/site-map/")
AWAY = ("/static/", "/sign-out/")


@dataclass(frozen=True)
class Found:
    """One page: where, what kind (view name and what its address says besides ids), status, and the markup."""

    path: str
    kind: str
    status: int
    html: str


class Links(HTMLParser):
    """Addresses of links that a click would open as a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href") and "download" not in given:
            self.found.append(given["href"] or "")


def kind_of(path: str) -> str:
    """desk:object kind=award: ids left out, since one award's page is made like another's. "" for what is no page of ours."""
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    words = [f"{name}={value}" for name, value in sorted(match.kwargs.items()) if isinstance(value, str) and name in TELLING]
    return " ".join([match.view_name or match.route, *words])


TELLING = ("kind", "verb", "what", "section", "moment", "stage", "part", "key", "format")


def walk(user: Any, *, start: tuple[str, ...] = START, most: int = 400, server: str = "testserver") -> Iterator[Found]:
    """Every kind of page this person reaches by links from `start`, breadth first; files are not opened. user None: a visitor."""
    client = Client(SERVER_NAME=server)
    if user is not None:
        client.force_login(user)
    queue, kinds = deque(start), set()
    while queue and most:
        path = queue.popleft()
        kind = kind_of(path)
        if not kind or kind in kinds or path.startswith(AWAY):
            continue
        kinds.add(kind)
        most -= 1
        answer = client.get(path)
        if 300 <= answer.status_code < 400:
            queue.extend(_inside(path, f'<a href="{answer["Location"]}">'))
        elif answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            html = answer.content.decode()
            yield Found(path, kind, answer.status_code, html)
            queue.extend(_inside(path, html))


def _inside(page: str, html: str) -> list[str]:
    """Paths of this site, without query and fragment."""
    joined = (urlsplit(urljoin(page, link)) for link in Links(html).found)
    return [parts.path for parts in joined if not parts.netloc and parts.path.startswith("/")]


LINK = re.compile(r'(?:href|action|data-draft|data-clock)="(/[^"#]*)"')


def read_all(client: Client, start: list[str]) -> dict[str, str]:
    """Every page reached from `start` by links and form addresses, with its body; of one kind of address (ids and digits aside)
    at most twenty-five, of one path at most three queries: filters and calendars have no end."""
    seen: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    todo = deque(start)
    while todo:
        url = unescape(todo.popleft())
        path = url.split("?")[0]
        kind = re.sub(r"[0-9a-f-]{36}|[0-9a-f]{64}|[0-9]+", "…", path)
        if (
            url in seen
            or url.startswith(("/static/", "/i18n/", "/sign-out", "/style/"))
            or kinds[kind] >= 25
            or kinds[path + "?"] >= 3
        ):
            continue
        kinds.update([kind, path + "?"])
        response = client.get(url)
        body = response.getvalue() if response.streaming else response.content
        kind = response.headers.get("Content-Type", "")
        seen[url] = _sheet_text(body) if "spreadsheet" in kind else body.decode("utf-8", "replace")
        if response.status_code in (301, 302):
            todo.append(response["Location"])
        if "html" in kind:
            todo += LINK.findall(seen[url])
    return seen


def _sheet_text(content: bytes) -> str:
    return "\n".join(str(cell.value) for row in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows() for cell in row)
