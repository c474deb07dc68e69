"""The press behind `grants.documents.pdf`, loaded with the first document. The only importer of WeasyPrint.

Nothing is fetched: the fonts come with the installation, every other address is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from django.template.loader import render_to_string
from django.utils import translation
from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from grants.documents.glyphs import faces, spell_out, stacks
from grants.documents.signing.fields import Field, add_fields

STYLE = "documents/base.css"
VARIANT = "pdf/a-3u"  # archival, text mapped to Unicode, data files may be embedded


class OutsideFetch(FatalURLFetchingError):
    """A document asked for something that is not one of our fonts. Fatal: WeasyPrint would otherwise draw on without it."""


class _FontsOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        parts = urlsplit(url)
        for _family, path in faces():
            if parts.scheme == "file" and unquote(parts.path) == str(path):
                return URLFetcherResponse(url, path.read_bytes())
        raise OutsideFetch(f"a document may not fetch {url}")


class _Press(NamedTuple):
    """What is made once per process: reading the fonts anew for each document would cost twelve times the document."""

    fonts: FontConfiguration
    styles: list[CSS]


@cache
def _press() -> _Press:
    fonts = FontConfiguration()
    faces_css = "".join(f'@font-face {{ font-family: "{family}"; src: url("{path.as_uri()}") }}\n' for family, path in faces())
    style = CSS(string=faces_css + render_to_string(STYLE, {"stacks": stacks()}), font_config=fonts, url_fetcher=_FontsOnly())
    return _Press(fonts, [style])


def printed(
    template_name: str,
    context: Mapping[str, Any],
    *,
    identifier: str,
    issued_on: dt.date,
    attachments: Mapping[str, bytes],
    signatures: Sequence[Field],
) -> bytes:
    """`render_pdf`, with everything said."""
    with translation.override("zh-hans"):
        html = spell_out(render_to_string(template_name, {**context, "issued_on": issued_on}))
    press = _press()
    page = HTML(string=html, base_url=None, url_fetcher=_FontsOnly())
    return page.write_pdf(
        finisher=partial(_prepare, signatures=signatures) if signatures else None,
        font_config=press.fonts,
        stylesheets=press.styles,
        pdf_variant=VARIANT,
        pdf_tags=True,  # headings and tables for screen readers (GB/T 37668)
        pdf_identifier=identifier.encode(),
        attachments=[_attachment(name, content, issued_on) for name, content in sorted(attachments.items())],
    )


def _prepare(document: Any, pdf: Any, *, signatures: Sequence[Field]) -> None:
    """Before it is written: the signature fields, and every object in a place of its own.

    In compressed object streams a reader parses a thousand numbers anew for each object it looks up, and whoever checks a signature looks up
    them all: 2.5 CPU s a contract instead of 0.3. Contents stay compressed.
    """
    add_fields(document, pdf, signatures)
    pdf.write = partial(_plainly, pdf.write)


def _plainly(write: Any, output: Any, version: Any, identifier: Any, _compress: bool) -> None:
    write(output, version, identifier, False)


def bare_render(html: str) -> bytes:
    """WeasyPrint alone on finished HTML, with our fonts and style but no tags, archive variant or data: what a benchmark compares with."""
    press = _press()
    return HTML(string=html, base_url=None, url_fetcher=_FontsOnly()).write_pdf(font_config=press.fonts, stylesheets=press.styles)


def _attachment(name: str, content: bytes, issued_on: dt.date) -> Attachment:
    midnight = dt.datetime.combine(issued_on, dt.time(), tzinfo=dt.UTC)
    return Attachment(
        string=content,
        name=name,
        description=name,
        created=midnight,
        modified=midnight,
        relationship="Source",
        url_fetcher=_FontsOnly(),
    )
