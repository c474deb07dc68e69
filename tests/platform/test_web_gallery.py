"""The style page is alive: every partial is on it, made by the code that it shows; a record's head tells number, version and digest."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client

from grants.web.gallery import GALLERY

WEB = Path(settings.BASE_DIR) / "grants" / "web"
WITHIN = {"cell", "data_cell", "here", "messages"}  # pieces of table, data_table and base


def test_every_partial_is_on_the_style_page() -> None:
    there = {path.stem for path in (WEB / "templates" / "web" / "partials").glob("*.html")} - WITHIN
    tags = {"data_table": "data_table", "chart": "chart", "file_link": "file_link"}
    code = "\n".join(sample.code for sample in GALLERY)
    shown = set(re.findall(r"web/partials/(\w+)\.html", code)) | {name for name, tag in tags.items() if f"{{% {tag} " in code}
    assert there - shown == set()
    assert len(there) >= 25


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_part_is_shown_with_its_own_code(language: str) -> None:
    client = Client(headers={"accept-language": language})
    html = client.get("/style/").content.decode()
    for sample in GALLERY:
        assert f'id="{sample.key}"' in html
        assert escape(sample.code) in html
    assert html.count("<h1") == 1


def test_a_code_and_its_heading_belong_together() -> None:
    keys = [sample.key for sample in GALLERY]
    assert len(keys) == len(set(keys))
    assert {path.stem for path in (WEB / "templates" / "web" / "gallery").glob("*.html")} == set(keys)


def mark(**facts: object) -> str:
    return Template("{% load web_tags %}{% record_mark obj %}").render(Context({"obj": SimpleNamespace(**facts)}))


def test_the_head_of_a_record_has_number_and_digest_and_nothing_when_there_is_none() -> None:
    assert "<strong>XY-2026-018</strong>" in mark(number="XY-2026-018", text_hash="ab" * 32)
    assert "ab" * 32 in mark(number="XY-2026-018", text_hash="ab" * 32)
    rules = SimpleNamespace(fields_cache={"rules_version": SimpleNamespace(version="1.2.0", hash="cd" * 32)})
    assert "1.2.0" in mark(code="YX-2026-01", _state=rules)
    assert mark(title="没有编号").strip() == ""
