"""The reading guide as a page: opens by double click in any browser, without script, network or font of ours, and prints on A4.

Reads the few forms that the guide is written in — headings, paragraphs, lists, tables, commands — and nothing else of Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

HEAD = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #0b0c0c; background: #fff;
  font: 1rem/1.75 "Source Han Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; }}
h1 {{ font-size: 1.6rem; line-height: 1.3; border-bottom: 3px solid #b10e1e; padding-bottom: .5rem; }}
h2 {{ font-size: 1.2rem; margin-top: 2rem; break-after: avoid; }}
pre {{ background: #f3f2f1; border-left: 4px solid #505a5f; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
code, pre {{ font-family: "Source Code Pro", Menlo, Consolas, monospace; font-size: .95em; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border: 1px solid #b1b4b6; padding: .4rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }}
th {{ background: #f3f2f1; }}
tr, pre, li {{ break-inside: avoid; }}
td:first-child {{ width: 30%; }}
@page {{ size: A4; margin: 20mm 18mm; }}
@media print {{ body {{ margin: 0; max-width: none; padding: 0; font-size: 10.5pt; }} }}
</style>
</head>
<body>
<main>
"""
FOOT = "</main>\n</body>\n</html>\n"
COMMAND, ROW, ITEM = "    ", "|", "- "


def page(text: str) -> str:
    """The guide's text as one HTML file."""
    title = next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    blocks = (block for kind, lines in groupby(text.splitlines(), _kind) for block in _block(kind, list(lines)))
    return HEAD.format(title=escape(title)) + "\n".join(blocks) + "\n" + FOOT


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    if line.startswith("#"):
        return "head"
    if line.startswith(COMMAND):
        return "command"
    if line.startswith(ROW):
        return "table"
    return "list" if line.startswith((ITEM, "  ")) else "words"


def _block(kind: str, lines: list[str]) -> Iterator[str]:
    if kind == "head":
        for line in lines:
            level = len(line) - len(line.lstrip("#"))
            yield f"<h{level}>{_inline(line[level:].strip())}</h{level}>"
    elif kind == "command":
        yield "<pre>" + escape("\n".join(line.removeprefix(COMMAND) for line in lines)) + "</pre>"
    elif kind == "table":
        yield from _table(lines)
    elif kind == "list":
        items = re.split(r"(?m)^- ", "\n".join(lines))[1:]
        yield "<ul>" + "".join(f"<li>{_inline(' '.join(item.split()))}</li>" for item in items) + "</ul>"
    elif kind == "words":
        yield "<p>" + "<br>".join(_inline(line) for line in lines) + "</p>"


def _table(lines: list[str]) -> Iterator[str]:
    head, _rule, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines)
    yield "<table><thead><tr>" + "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head) + "</tr></thead><tbody>"
    yield from ("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    yield "</tbody></table>"


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
