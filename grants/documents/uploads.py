"""Uploads that touch no disk, for a page whose files must never be written: `@in_memory(largest)` on its view.

The middleware stands before the one that checks the form's token: reading the token reads the uploads, and by then the handler must be chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse

View = TypeVar("View", bound=Callable[..., Any])


class InMemory(FileUploadHandler):
    """Every file in memory only. Cut off one byte over `most` for all of them together."""

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most, self.received = most, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.pieces: list[bytes] = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > self.most:
            raise StopUpload(connection_reset=True)
        self.pieces.append(raw_data)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        return SimpleUploadedFile(self.file_name or "", b"".join(self.pieces), self.content_type or "application/octet-stream")


def in_memory(most: Callable[[], int]) -> Callable[[View], View]:
    """Mark a view: its uploads stay in memory, at most `most()` bytes of them."""

    def mark(view: View) -> View:
        view.uploads_in_memory = most  # type: ignore[attr-defined]
        return view

    return mark


class UploadsInMemory:
    """Middleware: chooses the handler for marked views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        most = getattr(view, "uploads_in_memory", None)
        if most is not None:
            request.upload_handlers = [InMemory(request, most())]
