"""Two versions of a call's rules side by side: what a bidder must acknowledge when an addendum appears.

Elements of lists are matched by their own code, so that inserting a criterion is one change and not a page of them. Each change says
how grave it is: wording (patch), addendum (minor), a new call (major), or forbidden, because a deadline may only move later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from grants.calls.rulebook.described import field_of, model_in, term, title_of
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.problems import NAMES


class Gravity(IntEnum):
    """How grave a change is; the larger decides the version number."""

    WORDING = 0
    ADDENDUM = 1
    NEW_CALL = 2
    FORBIDDEN = 3


WORDS: Final = {Gravity.WORDING: "文字", Gravity.ADDENDUM: "补充", Gravity.NEW_CALL: "须另发征集", Gravity.FORBIDDEN: "不允许"}

_NEW_CALL: Final = re.compile(r"schema|code|legal_basis|agency\.name|sealing")
_DEADLINE: Final = re.compile(r"timetable\.(closes_at|questions_until|batches\[[^]]*\]\.closes_at)")
_WORDING: Final = re.compile(r"version|summary|(legal_notes|title|agency\.contact)(\..*)?|.*\.(help|note|text|label|title)")


@dataclass(frozen=True)
class Change:
    """One change: the key path, both plain values (None: absent), gravity, and a Chinese sentence.

    names: the way to it in Chinese, for a table; before, after: both values as people read them, empty for absent.
    """

    path: str
    old: Any
    new: Any
    gravity: Gravity
    sentence: str
    names: tuple[str, ...] = ()
    before: str = ""
    after: str = ""

    def plain(self) -> dict[str, Any]:
        """The change as JSON types, for the ledger and for the page that bidders acknowledge."""
        return {
            "path": self.path,
            "old": self.old,
            "new": self.new,
            "gravity": self.gravity.name.lower(),
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class _Place:
    """Where the walk is: the machine path, the names of the way down in Chinese, and the model there."""

    path: str
    names: tuple[str, ...]
    model: type[BaseModel] | None
    info: FieldInfo | None = None

    def key(self, key: str) -> _Place:
        info = field_of(self.model, key)
        inner = model_in(info.annotation) if info else None
        return _Place(f"{self.path}.{key}".lstrip("."), (*self.names, title_of(self.model, key)), inner, info)

    def element(self, label: str, name: str) -> _Place:
        last = f"{self.names[-1]}“{name}”"
        return _Place(f"{self.path}[{label}]", (*self.names[:-1], last), self.model, self.info)

    def say(self, words: str) -> str:
        return " · ".join(self.names) + words


def diff(old: CallRules, new: CallRules) -> tuple[Change, ...]:
    """Every change from `old` to `new`, in the order of the file; empty exactly when the two are equal."""
    return tuple(_compare(_Place("", (), CallRules), old.plain(), new.plain()))


def gravest(changes: Iterable[Change]) -> Gravity:
    """The gravest of the changes; WORDING when there are none."""
    return max((change.gravity for change in changes), default=Gravity.WORDING)


def version_fault(old: CallRules, new: CallRules) -> str:
    """Why the new version's number does not fit its changes, as a Chinese sentence; empty when it fits."""
    changes = diff(old, new)
    worst = gravest(changes)
    if worst is Gravity.FORBIDDEN:
        return next(change.sentence for change in changes if change.gravity is worst) + "；截止时间只能延后"
    if not changes:
        return ""
    before, after = _numbers(old.version), _numbers(new.version)
    place = {Gravity.WORDING: 3, Gravity.ADDENDUM: 2, Gravity.NEW_CALL: 1}[worst]
    if after[:place] <= before[:place]:
        part = {3: "修订号", 2: "次版本号", 1: "主版本号"}[place]
        return f"改动属于“{WORDS[worst]}”，版本 {old.version} 的{part}应当增加，现为 {new.version}"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _compare(place: _Place, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in _keys(place.model, old, new):
            yield from _compare(place.key(key), old.get(key), new.get(key))
    elif _has_tables(old) and _has_tables(new):
        yield from _lists(place, old, new)
    else:
        yield _change(place, old, new)


def _keys(model: type[BaseModel] | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    order = [info.alias or name for name, info in model.model_fields.items()] if model else []
    return [key for key in order if key in old or key in new]


def _has_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _lists(place: _Place, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    before, after = _labelled(old), _labelled(new)
    for label, element in before.items():
        inner = place.element(label, _name(place, element, label))
        if label in after:
            yield from _compare(inner, element, after[label])
        else:
            yield Change(inner.path, element, None, _gravity(inner.path), inner.say(" 被删除"), inner.names, _table(inner, element))
    for label, element in after.items():
        if label not in before:
            inner = place.element(label, _name(place, element, label))
            text = _table(inner, element)
            yield Change(inner.path, None, element, _gravity(inner.path), inner.say(" 新增"), inner.names, "", text)
    yield from _order(place, list(before), list(after))


def _order(place: _Place, before: list[str], after: list[str]) -> Iterator[Change]:
    kept = [label for label in before if label in after]
    moved = [label for label in after if label in before]
    if kept != moved:
        sentence = place.say(f" 的次序由 {'、'.join(kept)} 改为 {'、'.join(moved)}")
        texts = "、".join(kept), "、".join(moved)
        yield Change(place.path, kept, moved, _gravity(place.path), sentence, place.names, *texts)


def _labelled(elements: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The elements by the first naming key that tells them all apart; by position when none does."""
    for name in NAMES:
        labels = [str(each[name]) for each in elements if name in each]
        if len(set(labels)) == len(elements):
            return dict(zip(labels, elements, strict=True))
    return {f"#{index}": each for index, each in enumerate(elements, 1)}


def _name(place: _Place, element: Mapping[str, Any], label: str) -> str:
    keys = ("name", "title", "label", "action", "kind")
    return next((term(field_of(place.model, key), element[key]) for key in keys if element.get(key)), label)


def _change(place: _Place, old: Any, new: Any) -> Change:
    gravity = _gravity(place.path)
    if _DEADLINE.fullmatch(place.path) and old is not None and new is not None and str(new) < str(old):
        gravity = Gravity.FORBIDDEN  # plain moments share one offset, so text order is time order
    texts = (_said(place, old), _said(place, new))
    return Change(place.path, old, new, gravity, place.say(_turned(place.info, old, new)), place.names, *texts)


def _said(place: _Place, value: Any) -> str:
    """A value in a cell: words for one, every key for a table, nothing for what is absent."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _table(place, value)
    if _tables_in(value):
        return "；".join(_table(place, each) for each in value)
    return term(place.info, value)


def _table(place: _Place, element: Mapping[str, Any]) -> str:
    """A table in one cell: `名称 心理援助，权重 20 分`; what is left empty is left out."""
    cells = ((place.key(key), value) for key, value in element.items() if value is False or value not in ("", [], None, 0))
    return "，".join(f"{inner.names[-1]} {_said(inner, value)}" for inner, value in cells)


def fitting_version(old: CallRules, new: CallRules) -> str:
    """The version number that fits the changes: patch for wording, minor for an addendum, major for another call."""
    changes = diff(old, new)
    worst = gravest(change for change in changes if change.path != "version")
    major, minor, patch = _numbers(old.version)
    if worst is Gravity.WORDING:
        return f"{major}.{minor}.{patch + 1}"
    return f"{major}.{minor + 1}.0" if worst is Gravity.ADDENDUM else f"{major + 1}.0.0"


def _turned(info: FieldInfo | None, old: Any, new: Any) -> str:
    if isinstance(old, Mapping) or isinstance(new, Mapping) or _tables_in(old) or _tables_in(new):
        return " 被删除" if new is None else " 新增" if old is None else " 已改变"
    if old is None or new is None:
        return f" 新增：{term(info, new)}" if old is None else f"（原为 {term(info, old)}）被删除"
    return f" 由 {term(info, old)} 改为 {term(info, new)}"


def _tables_in(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


def _gravity(path: str) -> Gravity:
    if _NEW_CALL.fullmatch(path):
        return Gravity.NEW_CALL
    return Gravity.WORDING if _WORDING.fullmatch(path) else Gravity.ADDENDUM
