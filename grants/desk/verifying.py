"""`/verify/`: hand in a file and read what can and cannot be said about it. Nothing is kept, nothing is fetched, nobody signs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from grants.documents.inspection import FileRefused, clean_name
from grants.documents.proof import MEBIBYTE, Kind, kind_for, kinds, largest
from grants.web.limits import by_address, limited


class InMemory(FileUploadHandler):
    """One file, in memory only: a stranger's paper does not touch our disk. Cut off one byte over the largest kind."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.pieces, self.size = [], 0  # type: list[bytes], int

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size > largest():
            raise StopUpload(connection_reset=True)
        self.pieces.append(raw_data)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        return SimpleUploadedFile(self.file_name or "", b"".join(self.pieces))


class VerifyForm(forms.Form):
    """The file. Cleans to its bytes; `kind` is who answers for it, `name` what the visitor calls it."""

    kind: Kind
    name: str

    file = forms.FileField(label=_("要核验的文件"), allow_empty_file=True)

    def clean_file(self) -> bytes:
        upload = self.cleaned_data["file"]
        self.name = clean_name(upload.name)
        content: bytes = upload.read()
        if not content:
            raise FileRefused("empty", _("这是空文件。请检查后重新选择。"))
        found = kind_for(self.name, content)
        if found is None:
            raise FileRefused(
                "type",
                _("这不是本页能核验的文件：%(what)s。"),
                what="；".join(f"{k.label}（{' '.join(k.extensions)}，{k.max_bytes // MEBIBYTE} MB）" for k in kinds()),
            )
        self.kind = found
        return content


class UploadsInMemory:
    """Middleware: what is handed in at `/verify/` stays in memory. It stands before whatever reads the form first, the token's check."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path == reverse("desk:verify"):
            request.upload_handlers = [InMemory(request)]
        return self.get_response(request)


@never_cache
@require_http_methods(["GET", "POST"])
@limited("desk.verify", "60/h", by_address)
def verify(request: HttpRequest) -> HttpResponse:
    """核验: the form, and below it what the file proves."""
    if request.method != "POST":
        return _page(request, VerifyForm())
    if int(request.META.get("CONTENT_LENGTH") or 0) > largest() + MEBIBYTE:
        return _page(request, VerifyForm(), too_large=True, status=413)
    form = VerifyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    return _page(request, VerifyForm(), report=form.kind.check(form.cleaned_data["file"]), kind=form.kind, name=form.name)


def _page(request: HttpRequest, form: VerifyForm, *, status: int = 200, **more: Any) -> HttpResponse:
    form.fields["file"].help_text = gettext("最大 %(most)d MB。文件只在内存中核验，不保存，不上传到别处。") % {"most": largest() // MEBIBYTE}
    form.fields["file"].widget.attrs["accept"] = ",".join(sorted({e for k in kinds() for e in k.extensions}))
    return render(request, "desk/verify.html", {"form": form, "kinds": kinds(), "most": largest() // MEBIBYTE, **more}, status=status)
