"""The passport as a download, and the page on which anybody checks one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from grants.desk.square import passport, passport_paper
from grants.desk.square.views import organisation_of
from grants.ledger import keys
from grants.ledger.note import BadNote, Verifier
from grants.web.limits import by_address, limited


class PassportForm(forms.Form):
    """A passport to check, and the issuing site's public key when it is another site."""

    file = forms.FileField(label=gettext_lazy("履约护照文件"), help_text=gettext_lazy("从签发平台的单位页面下载的 JSON 或 PDF 文件。"))
    key = forms.CharField(
        label=gettext_lazy("签发方公钥"), required=False, max_length=300,
        help_text=gettext_lazy("由其他平台签发的，请填该平台公布的公钥（一行）；不填则用本平台公钥核对。"),
    )  # fmt: skip

    def clean_key(self) -> Verifier | None:
        text = str(self.cleaned_data["key"]).strip()
        try:
            return Verifier.parse(text) if text else None
        except BadNote as wrong:
            raise forms.ValidationError(_("公钥格式不对：应为一行“名称+编号+密钥”，请从签发平台复制完整的一行。")) from wrong


@limited("square.passport", "60/h", by_address, methods=("GET",))
@require_GET
def download(request: HttpRequest, pk: Any) -> HttpResponse:
    """An organisation's signed record."""
    found = organisation_of(pk)
    answer = HttpResponse(passport.issue(found), content_type="application/json; charset=utf-8")
    name = _("%(name)s-履约护照.json") % {"name": found.name}
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@limited("square.passport_paper", "20/h", by_address, methods=("GET",))
@require_GET
def paper(request: HttpRequest, pk: Any) -> HttpResponse:
    """The same record on paper, the signed file inside. Printed on request: it is dated by the hour."""
    found = organisation_of(pk)
    answer = HttpResponse(passport_paper.paper(found), content_type="application/pdf")
    name = _("%(name)s-履约护照.pdf") % {"name": found.name}
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Check a passport against our own key or the one given. Nothing that is uploaded is kept."""
    form = PassportForm(request.POST or None, request.FILES or None)
    found, status = None, 200
    if request.method == "POST":
        found = _verified(form) if form.is_valid() else None
        status = 200 if found is not None else 422
    return render(request, "square/passport.html", {"form": form, "found": found, "keys": [str(v) for v in keys.verifiers()]}, status=status)


def _verified(form: PassportForm) -> passport.Verified | None:
    given = form.cleaned_data["key"]
    raw = form.cleaned_data["file"].read(passport.LARGEST + 1)
    try:
        return passport.verify(passport_paper.inside(raw) or raw, [given] if given else keys.verifiers())
    except passport.BadPassport as wrong:
        form.add_error("file", str(wrong))
        return None
