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
from grants.documents.proof import MEBIBYTE, Report, kind_for, kinds, largest, report_on
from grants.documents.uploads import in_memory
from grants.web.limits import by_address, limited


class VerifyForm(forms.Form):
    """The file, or the number or root that a paper shows. Cleans to a `report`; `name` is what the visitor calls it."""

    name: str

    file = forms.FileField(label=_("要核验的文件"), allow_empty_file=True, required=False)
    code = forms.CharField(
        label=_("或填写编号、台账根"), required=False, max_length=400, strip=True,
        help_text=_("审计资料包的编号（64 位）；每日根公告上的“大小:根”，例如 1024:9f86…；或履约护照二维码里的一行字。"),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not given.get("file") and not self.errors:
            given["report"] = self._by_code(given.get("code", ""))
        return given

    def clean_file(self) -> Report | None:
        upload = self.cleaned_data["file"]
        if upload is None:
            return None
        self.name = clean_name(upload.name)
        content: bytes = upload.read()
        if not content:
            raise FileRefused("empty", _("这是空文件。请检查后重新选择。"))
        found = kind_for(self.name, content)
        if found is None:
            raise FileRefused(
                "type",
                _("这不是本页能核验的文件：%(what)s。"),
                what="；".join(f"{k.label}（{' '.join(k.extensions)}，{k.max_bytes // MEBIBYTE} MB）" for k in kinds() if k.extensions),
            )
        return found.check(content)

    def _by_code(self, code: str) -> Report | None:
        self.name = code
        found = report_on(code)
        if not code:
            self.add_error("file", _("请选择文件，或填写编号。"))
        elif found is None:
            self.add_error("code", _("既不是资料包的编号（64 位十六进制），也不是“大小:根”或履约护照的一行字。请照纸面抄全。"))
        return found


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
    return _page(request, VerifyForm(), report=form.cleaned_data["file"] or form.cleaned_data["report"], name=form.name)


def _page(request: HttpRequest, form: VerifyForm, *, status: int = 200, **more: Any) -> HttpResponse:
    form.fields["file"].help_text = gettext("最大 %(most)d MB。文件只在内存中核验，不保存，不上传到别处。") % {"most": largest() // MEBIBYTE}
    form.fields["file"].widget.attrs["accept"] = ",".join(sorted({e for k in kinds() for e in k.extensions}))
    return render(request, "desk/verify.html", {"form": form, "kinds": kinds(), "most": largest() // MEBIBYTE, **more}, status=status)
