"""The reading guide as a page: what it is written in is read, whatever is in it is text, and it needs nothing but a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from grants.audit.guide import MASKED, SAMPLE, TEXT
from grants.audit.guide_page import page

GUIDE = TEXT.format(
    code="YX-2026-01", title="<b>征集</b> & co", agency="某局", sample=SAMPLE.format(id="1", size=2, count=9), personal=MASKED, ballots="", opened="", trial="", bids="",
    evidence="",
)  # fmt: skip


class Read(HTMLParser):
    """Text, names of elements; fails on an element that is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.named: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.named.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_word_of_the_text_is_on_the_page_and_no_mark_of_its_writing() -> None:
    read = Read(page(GUIDE))
    assert read.open == []
    shown = re.sub(r"\s", "", read.text)
    for line in GUIDE.splitlines():
        if not set(line) <= set("| -"):
            for part in re.split(r"\|", line.lstrip("# ").removeprefix("- ").replace("`", "")):
                assert re.sub(r"\s", "", part) in shown, part
    assert not re.search(r"##|^\||```", read.text.split("</style>")[-1], re.MULTILINE)


def test_headings_commands_lists_and_the_table_are_what_they_are() -> None:
    read = Read(page(GUIDE))
    assert read.named.count("h1") == 1 and read.named.count("h2") == GUIDE.count("\n## ")
    assert read.named.count("table") == 1 and read.named.count("tr") == sum(line.startswith("| ") for line in GUIDE.splitlines()) - 1
    assert read.named.count("li") == sum(line.startswith("- ") for line in GUIDE.splitlines())
    assert read.named.count("pre") == 3


def test_a_title_with_marks_is_text_and_nothing_is_loaded_or_run() -> None:
    html = page(GUIDE)
    assert "&lt;b&gt;征集&lt;/b&gt; &amp; co" in html and "<b>" not in html
    assert not re.search(r"<script|<link|<img|src=|url\(|https?://|\son\w+=", html)
    assert "default-src 'none'" in html and html.startswith("<!doctype html>") and '<html lang="zh-CN">' in html
