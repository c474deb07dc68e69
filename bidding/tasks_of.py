"""The list of things to do in one bid: each page with its status, as people read it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from bidding.completeness import Problem, asked_attachments


def tasks_of(bid: Any, found: list[Problem], *, linked: bool) -> list[dict[str, Any]]:
    """Rows for web/partials/task_list.html, in the order in which people write. linked: whether pages may be opened for writing."""
    pages = [(page, title, begun, [p for p in found if p.page == page]) for page, title, begun in _pages(bid)]
    return [_task(bid, *each, linked=linked) for each in pages] + [_signing(bid, found, linked=linked)]


def _pages(bid: Any) -> list[tuple[str, str, bool]]:
    """(page, title, whether something was written on it)."""
    rules = bid.rules
    sections = [(f"sections/{s.code}", s.title, any(bid.answers.get(s.code, {}).values())) for s in rules.forms.application]
    pages = [
        ("about", _("项目概况"), bool(bid.title)),
        *sections,
        ("budget", _("预算"), bid.budget_lines.exists()),
        ("kpis", _("指标与受益人群"), bid.kpis.exists()),
        ("team", _("人员名单"), bid.team.exists()),
    ]
    return [*pages, ("attachments", _("附件"), bid.attachments.exists())] if asked_attachments(bid) else pages


def titles_of(bid: Any) -> list[tuple[str, str]]:
    """(page, title) of every page, for choosing among them."""
    return [(page, title) for page, title, _begun in _pages(bid)]


def _task(bid: Any, page: str, title: str, begun: bool, told: list[Problem], *, linked: bool) -> dict[str, Any]:
    url = f"{reverse('bidding:tasks', args=[bid.pk])}{page}/" if linked else ""
    status, colour, hint = _status(bid, page, begun or page in bid.typed, told)
    return {"title": title, "url": url, "status": status, "colour": colour, "hint": hint}


def _status(bid: Any, page: str, begun: bool, told: list[Problem]) -> tuple[str, str, str]:
    """(status, colour of its tag, hint). Red only for what is wrong; 已完成 has no colour; a long text is done when its writer says so."""
    hint = _("还有 %(n)d 处要填或要改") % {"n": len(told)} if told else ""
    if page in bid.sent_back_pages:
        return _("需修改"), "orange", _("签署人请您修改这一部分")
    if begun and any(problem.wrong for problem in told):
        return _("有问题"), "red", hint
    if not begun and (told or _waits_for_a_word(bid, page)):
        return _("尚未开始"), "grey", ""
    if told:
        return _("填写中"), "blue", hint
    if _waits_for_a_word(bid, page):
        return _("填写中"), "blue", _("填完后请在页末选“是，已填完”")
    return _("已完成"), "", ""


def _waits_for_a_word(bid: Any, page: str) -> bool:
    """Whether only the writer knows if the page is done, and has not said so. What was handed in is done."""
    asked = next((s for s in bid.rules.forms.application if f"sections/{s.code}" == page), None)
    return asked is not None and asks_finished(asked) and page not in bid.finished and not bid.number


def asks_finished(asked: Any) -> bool:
    """Whether a section ends with 本部分是否已填完?: only the writer knows when a long text is done."""
    return any(field.kind == "longtext" for field in asked.fields)


def _signing(bid: Any, found: list[Problem], *, linked: bool) -> dict[str, Any]:
    """The last thing to do; it cannot be begun while something is missing, and is then no link."""
    title, url = _("检查、签署并提交"), reverse("bidding:check", args=[bid.pk])
    if found:
        return {"title": title, "url": "", "status": _("尚不能开始"), "colour": "", "hint": _("各部分填完之后")}
    if bid.sign_asked_at:
        return {"title": title, "url": url if linked else "", "status": _("等待签署人"), "colour": "blue", "hint": ""}
    done = bid.state not in ("draft", "returned", "withdrawn")
    status, colour = (_("已完成"), "") if done else (_("尚未开始"), "grey")
    return {"title": title, "url": url if linked else "", "status": status, "colour": colour, "hint": ""}
