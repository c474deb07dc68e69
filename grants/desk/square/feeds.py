"""征集与公示 as an Atom feed: the newest fifty, for readers and for other sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.awards.models import PublicNotice
from grants.calls.models import Call
from grants.desk.square.whitelist import public
from grants.documents.writing import zh_datetime

MOST = 50


@dataclass(frozen=True)
class Item:
    """One entry: what, where, since when, in a sentence."""

    title: str
    link: str
    at: datetime
    text: str


class Square(Feed):
    """Calls when they are published, notices when they appear."""

    feed_type = Atom1Feed
    title = gettext_lazy("征集与公示")
    subtitle = gettext_lazy("公益创投：新的征集公告和拟立项公示")

    def link(self) -> str:
        return reverse("square:front")

    def items(self) -> list[Item]:
        calls = Call.objects.filter(published_at__isnull=False).exclude(state="cancelled").order_by("-published_at")[:MOST]
        notices = PublicNotice.objects.order_by("-published_at")[:MOST]
        return sorted([*map(_call, calls), *map(_notice, notices)], key=lambda item: item.at, reverse=True)[:MOST]

    def item_title(self, item: Any) -> str:
        return str(item.title)

    def item_description(self, item: Any) -> str:
        return str(item.text)

    def item_link(self, item: Any) -> str:
        return str(item.link)

    def item_pubdate(self, item: Any) -> datetime:
        return item.at  # type: ignore[no-any-return]

    item_updateddate = item_pubdate


def _call(call: Call) -> Item:
    assert call.published_at is not None  # asked for published calls only
    text = _("受理至 %(at)s") % {"at": zh_datetime(call.closes_at)} if call.closes_at else ""
    return Item(public("call", {"title": call.title})["title"], reverse("calls:public", args=[call.code]), call.published_at, text)


def _notice(notice: PublicNotice) -> Item:
    text = _("公示及异议至 %(at)s") % {"at": zh_datetime(notice.objections_end)}
    return Item(public("notice", {"title": notice.title})["title"], reverse("awards:notice", args=[notice.pk]), notice.published_at, text)
