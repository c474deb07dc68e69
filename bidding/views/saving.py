"""The other end of the pages that save by themselves: JSON in, JSON out, the same rules as for a page that is sent whole.

In:  {"answers": [{"answer": "goal", "mark": "3-ab…", "controls": [["goal", "text"], …]}, …], "marks": {"goal": "3-ab…", …}}
Out: {"saved_at": "14:05", "marks": {answer: mark}, "clashes": [...], "fresh": [...], "problems": {control: [sentence]}, "writers": [...]}
     200 when everything given was saved, 409 when a colleague had changed one of the answers, with both texts.
     401, 403, 404, 409, 422: {"sentence": …}, nothing was saved.

`answers` are those that changed; without any the request is a sign of life. `marks` are all that the page shows: what a colleague has
saved since comes back as `fresh`, so that nobody types into an old text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.translation import gettext as _

from bidding.services import presence
from bidding.services.keeping import Clash, Kept
from grants import clock
from grants.workflow.refusals import Refusal

Pair = tuple[str, str]
MOST_ANSWERS = 200


@dataclass(frozen=True)
class Arrived:
    """What a page sent: for each changed answer its controls, the marks they were based on, and the marks of all that it shows."""

    controls: dict[str, list[Pair]] = field(default_factory=dict)
    based_on: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def data(self) -> QueryDict:
        """The controls as a form reads them."""
        made = QueryDict(mutable=True)
        for pairs in self.controls.values():
            for name, value in pairs:
                made.appendlist(name, value)
        return made


class Unreadable(Exception):
    """A body that no page of ours sends."""


def arrived(body: bytes) -> Arrived:
    """Read the body of a save. Raises Unreadable."""
    try:
        sent = json.loads(body)
        rows = sent["answers"][:MOST_ANSWERS]
        return Arrived(
            controls={str(row["answer"]): [(str(name), str(value)) for name, value in row["controls"]] for row in rows},
            based_on={str(row["answer"]): str(row["mark"]) for row in rows},
            shown={str(answer): str(mark) for answer, mark in sent.get("marks", {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise Unreadable from wrong


@dataclass(frozen=True)
class Paper:
    """What is being written: its ledger name and title for presence, and how its answers are saved, laid out in controls and told in words.

    save: (arrived) → Kept. controls: answer, value → the controls that show it. words: answer, value → the value as text.
    more: (kept) → further entries of the reply to a save.
    """

    subject: str
    place: str
    save: Callable[[Arrived], Kept]
    controls: Callable[[Kept, str], Sequence[Pair]]
    words: Callable[[str, Any], str]
    more: Callable[[Kept], Mapping[str, Any]] = lambda _kept: {}


def answer_to(request: HttpRequest, paper: Callable[[], Paper]) -> HttpResponse:
    """Save what arrived and reply. paper: finds what is written, and may refuse as the page does (Http404, NotYou, NotNow)."""
    if not request.user.is_authenticated:
        return _sentence(_("登录已失效，请重新登录。您填写的内容保存在这台电脑的浏览器里，登录后会自动补存。"), 401)
    try:
        found = paper()  # who may, before what was sent: a stranger learns nothing from a body that cannot be read
        sent = arrived(request.body)
        kept = found.save(sent)
    except Unreadable:
        return _sentence(_("没有读懂要保存的内容，请刷新页面后再试。"), 400)
    except Http404 as gone:
        return _sentence(str(gone) or _("没有这个页面，或您无权查看。"), 404)
    except Refusal as refused:
        return _sentence(str(refused), refused.status)
    presence.note(found.subject, found.place, by=request.user)
    return JsonResponse(_reply(request, found, sent, kept), status=409 if kept.clashes else 200)


def _sentence(sentence: str, status: int) -> HttpResponse:
    return JsonResponse({"sentence": sentence}, status=status)


def _reply(request: HttpRequest, paper: Paper, sent: Arrived, kept: Kept) -> dict[str, Any]:
    clashing = {clash.answer for clash in kept.clashes}
    return {
        "saved_at": hour(clock.now()),
        "marks": {answer: mark for answer, mark in kept.marks.items() if answer not in clashing},
        "clashes": [_clash(paper, kept, clash) for clash in kept.clashes],
        "fresh": [
            {"answer": answer, "mark": kept.marks[answer], "controls": paper.controls(kept, answer)}
            for answer in _changed_elsewhere(sent, kept)
        ],
        "problems": dict(kept.problems),
        "writers": presence.others(paper.subject, than=request.user),  # type: ignore[arg-type]
        **(paper.more(kept) if sent.controls else {}),
    }


def _changed_elsewhere(sent: Arrived, kept: Kept) -> Iterable[str]:
    """Answers that the page shows as they were, and did not send."""
    for answer, shown in sent.shown.items():
        if answer in kept.marks and answer not in sent.controls and kept.marks[answer] != shown:
            yield answer


def _clash(paper: Paper, kept: Kept, clash: Clash) -> dict[str, Any]:
    return {
        "answer": clash.answer,
        "mark": kept.marks[clash.answer],
        "controls": paper.controls(kept, clash.answer),
        "theirs": paper.words(clash.answer, clash.theirs),
        "said": said(clash),
    }


def said(clash: Clash) -> str:
    """Who changed the answer and when, in a sentence."""
    shown = {"who": clash.who or _("同事"), "at": hour(clash.at)}
    return _("%(who)s 在 %(at)s 改过这一处，与您的内容不同。两份都保留着，请选择用哪一份。") % shown


def hour(moment: Any) -> str:
    """14:05, Beijing time."""
    return str(moment.astimezone(clock.TZ).strftime("%H:%M"))


# --- a page that is sent whole ------------------------------------------------------------------------------------------


def based_on(data: Mapping[str, str], answers: Iterable[str]) -> dict[str, str]:
    """The marks that came with a page sent whole; one whose person chose to keep their own text stands on the colleague's version."""
    marks = {}
    for answer in answers:
        choice, _colon, mark = data.get(f"keep-{answer}", "").partition(":")
        sent = mark if choice == "mine" else data.get(f"mark-{answer}")
        if sent:
            marks[answer] = sent
    return marks


def given_way(data: Mapping[str, str], answer: str) -> bool:
    """Whether the person chose the colleague's text for this answer."""
    return data.get(f"keep-{answer}", "") == "theirs"


@dataclass(frozen=True)
class Choice:
    """Two texts of one answer, for the page that lets a person choose."""

    sentence: str
    theirs: str
    mark: str


def choices(kept: Kept, words: Callable[[str, Any], str]) -> dict[str, Choice]:
    """For each answer that clashed, what the page shows."""
    return {c.answer: Choice(said(c), words(c.answer, c.theirs), kept.marks[c.answer]) for c in kept.clashes}


def pairs_of(form: Any, names: Iterable[str]) -> list[Pair]:
    """The controls of an unbound form as a browser would send them. Boxes that are not ticked are not sent."""
    pairs: list[Pair] = []
    for name in names:
        value = form[name].value()
        values = value if isinstance(value, list | tuple) else [value]
        shown = [("on" if each is True else each) for each in values if each not in (None, False)]
        pairs += [(form[name].html_name, str(each)) for each in shown]
    return pairs
