"""`/verify/`: hand in a file and read what can and cannot be said about it. Nothing is kept, nothing is fetched, nobody signs in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from grants.documents.inspection import FileRefused, clean_name
from grants.documents.proof import MEBIBYTE, Kind, kind_for, kinds, largest
from grants.documents.uploads import in_memory
from grants.web.limits import by_address, limited


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


@in_memory(largest)
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
