"""Handing a stored file to a browser: always as a download, never shown inside a page of ours."""

from __future__ import annotations

from django.http import FileResponse

from grants.documents.files import open_file
from grants.documents.inspection import clean_name
from grants.documents.models import StoredFile


def download(stored: StoredFile, *, name: str) -> FileResponse:
    """The response for a view that has already checked who asks and written the read into the ledger.

    The browser is told the type that was found when the file came in, not to guess another (nosniff), to save and not to show
    it, and, should it be shown all the same, to treat it as a page without scripts, forms or our cookies (CSP sandbox).
    Raises FileLost when the bytes are gone, FileRefused("name") for an unfit name.
    """
    response = FileResponse(
        open_file(stored.sha256), as_attachment=True, filename=clean_name(name), content_type=stored.media_type
    )
    response["Content-Length"] = str(stored.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response
