"""A person's own letters. Nobody reads another's."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants.notifications import services
from grants.notifications import wishes as wished
from grants.notifications.digest import tomorrow
from grants.notifications.forms import WishForm

PER_PAGE = 50


@login_required
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """收件箱, newest first."""
    page = Paginator(services.inbox(request.user), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "mail/inbox.html", {"page": page, "unread": services.unread(request.user)})


@login_required
@require_GET
def letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One letter, marked as read by being shown, and how it was delivered."""
    found = get_object_or_404(services.inbox(request.user), pk=pk)
    return render(request, "mail/letter.html", {"letter": services.read(found), "deliveries": found.deliveries.all()})


@login_required
@require_http_methods(["GET", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    """通知方式: how I want to hear of each kind of matter."""
    form = WishForm(request.POST or None, initial=wished.of(request.user))
    if request.method == "POST" and form.is_valid():
        wished.wish(request.user, form.cleaned_data)
        messages.success(request, _("通知方式已保存。站内信箱始终保留每一封。"))
        return redirect("notifications:wishes")
    context = {"form": form, "address": request.user.email, "next": tomorrow()}  # type: ignore[union-attr]
    return render(request, "mail/wishes.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    n = services.read_all(request.user)
    messages.success(request, _("已将 %(n)d 封通知标为已读。") % {"n": n})
    return redirect("notifications:inbox")
