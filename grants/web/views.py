"""The living style page: every part of the design system, made by the same partials that the stages use."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from grants.web import gallery, samples
from grants.web.display import COLUMNS, choose


def style(request: HttpRequest) -> HttpResponseBase:
    """Show everything; `?bound=1` submits the example form empty, with too much money and a file, to show its errors."""
    form = samples.Example()
    if "bound" in request.GET:
        data = {"amount": "１５０，０００．０１", "starts_on": "2026年13月1日", "groups": ["elder"]}
        files: MultiValueDict[str, UploadedFile] = MultiValueDict({"certificate": [SimpleUploadedFile("a.pdf", b"")]})
        form = samples.Example(data, files)
    table = samples.example_table(request)
    if table.wants_file:
        return table.respond("web/style.html")
    filled = {**gallery.context(), "form": form, "table": table, "csrf_token": get_token(request), "request": request}
    return render(request, "web/style.html", {"gallery": [(sample, sample.shown(filled)) for sample in gallery.GALLERY]})


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """大字版 and high contrast from the header: `large` or `contrast` = 1 | 0, then back to the page one came from."""
    name = next((name for name in COLUMNS if name in request.POST), None)
    if name is None:
        return HttpResponseBadRequest()
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if ours else "/")
    choose(request, response, name, on=request.POST[name] == "1")
    return response
