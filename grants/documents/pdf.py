"""HTML in, PDF out.

The same template, context, identifier and date give the same bytes, so that a document can be made again and compared by
hash. One document costs half a second of a core: call it from a task, not from a view. Whoever imports this has not loaded WeasyPrint:
that takes half a CPU second and 20 MB, a quarter of the start of every command, worker and web process, and most of them never print.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grants.documents.signing.fields import Field


def render_pdf(
    template_name: str,
    context: Mapping[str, Any],
    *,
    identifier: str,
    issued_on: dt.date,
    attachments: Mapping[str, bytes] | None = None,
    signatures: Sequence[Field] = (),
) -> bytes:
    """The document as PDF/A-3u, in Chinese whatever the active language.

    template_name: extends documents/base.html. context: its values. identifier: ASCII or Chinese, the file's permanent id, e.g.
    "contract:<uuid>:1". issued_on: the date in the metadata (Asia/Shanghai). attachments: name → bytes, embedded as source data.
    signatures: empty signature fields, each where the template has an element with its id.
    Raises press.OutsideFetch when the template refers to anything but our fonts; TemplateDoesNotExist; PlaceMissing.
    """
    from grants.documents.press import printed  # noqa: PLC0415 - see above

    return printed(
        template_name, context, identifier=identifier, issued_on=issued_on, attachments=attachments or {}, signatures=signatures
    )  # fmt: skip
