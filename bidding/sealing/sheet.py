"""离线封标: a bid sealed on a computer without this site. What the site hands out (离线封标表), what the bidder writes, what comes back as one ZIP.

    sheet     JSON {"format", "call", "organisation", "version", "recipient", "rules", "controls": {name: {"label", "choices", "required", "default"}},
              "counts": {start of a row's names: control}, "papers": {item: name}, "pledges": {code: text}, "site"}; "#" stands for the number of a
              row; default: what a page shows in that cell of a new row; site: what `sealed_offline` judges by, absent in older sheets
    answers   JSON or TOML {"pledges": [code], "answers": {control: text | number | true | [text]}, "attachments": [{"item", "file"}]}
    envelope  ZIP of header.json and the age files, as `folder` lays them out
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bidding.sealing import envelope
from bidding.sealing.envelope import KeptCopy, Place, Sealed
from bidding.sealing.refusals import SealRefused
from grants import archives
from grants.ledger.canonical import encode

FORMAT: Final = "gongchuang-offline-bid/1"
FORM: Final = "bid-form/1"
HEADER: Final = "header.json"
ROW: Final = re.compile(r"-(\d{1,4})(?=-)")


@dataclass(frozen=True)
class Sheet:
    """What a bid of this organisation, in this version, asks and where it is sealed to. Nothing of it is secret."""

    place: Place
    recipient: str
    rules: str
    controls: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, str]
    papers: Mapping[str, str]
    pledges: Mapping[str, str]
    site: Mapping[str, Any] = field(default_factory=dict)


def pattern(control: str) -> str:
    """The name of a control with "#" for the number of its row."""
    return ROW.sub("-#", control)


def written(rules: str, pairs: Sequence[Sequence[str]], pledges: Sequence[str]) -> dict[str, Any]:
    """What a manifest says of a bid: every control with its text, blanks left out. rules: hash of the call's rules."""
    kept = [[str(name), str(value)] for name, value in pairs if value != ""]
    return {"format": FORM, "rules": rules, "fields": kept, "declarations": list(pledges)}


def read(content: bytes, name: str) -> Sheet:
    """A sheet as the site handed it out. Raises SealRefused("format")."""
    try:
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise SealRefused("format", name)
        place = Place(str(told["call"]), str(told["organisation"]), int(told["version"]))
        controls, counts, papers, pledges = (dict(told[part]) for part in ("controls", "counts", "papers", "pledges"))
        return Sheet(place, str(told["recipient"]), str(told["rules"]), controls, counts, papers, pledges, dict(told.get("site", {})))
    except (ValueError, KeyError, TypeError) as wrong:
        raise wrong if isinstance(wrong, SealRefused) else SealRefused("format", name) from wrong


def fields(sheet: Sheet, answers: Mapping[str, Any]) -> list[list[str]]:
    """[control, text] as a browser would post them; the rows of every table are counted. Raises SealRefused: control, answer, choice."""
    pairs: list[list[str]] = []
    rows = dict.fromkeys(sheet.counts.values(), 0)
    for name, value in answers.items():
        known = sheet.controls.get(pattern(name))
        if known is None or "#" in name:
            raise SealRefused("control", name)
        texts = [text for text in _texts(name, value) if text]
        if known.get("choices") and not set(texts) <= set(known["choices"]):
            raise SealRefused("choice", name)
        pairs += [[name, text] for text in texts]
        _count(sheet, name, rows if texts else {})
    return [[control, str(n)] for control, n in rows.items()] + _initial(rows) + pairs + _defaults(sheet, pairs)


def _texts(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["on"] if value else []
    if isinstance(value, str | int):
        return [str(value)]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return list(value)
    raise SealRefused("answer", name)


def _count(sheet: Sheet, name: str, rows: dict[str, int]) -> None:
    for start, control in sheet.counts.items():
        row = re.match(re.escape(start) + r"-(\d{1,4})-", name)
        if row and control in rows:
            rows[control] = max(rows[control], int(row[1]) + 1)


def _defaults(sheet: Sheet, pairs: Sequence[Sequence[str]]) -> list[list[str]]:
    """What a page would have shown in the cells of the rows that were begun: a list without a blank choice, a quantity of 1."""
    given = {name for name, _text in pairs}
    begun = {(start, row[1]) for start in sheet.counts for name in given if (row := re.match(re.escape(start) + r"-(\d{1,4})-", name))}
    cells = [(name, str(known["default"])) for name, known in sheet.controls.items() if known.get("default")]
    filled = [[name.replace("#", row), text] for start, row in sorted(begun) for name, text in cells if name.startswith(f"{start}-#-")]
    return [pair for pair in filled if pair[0] not in given]


def _initial(rows: Mapping[str, int]) -> list[list[str]]:
    """Tables of the form's own also say that none of their rows was there before."""
    ends = [control.removesuffix("-TOTAL_FORMS") for control in rows if control.endswith("-TOTAL_FORMS")]
    return [[f"{start}-INITIAL_FORMS", "0"] for start in ends]


def blanks(sheet: Sheet, answers: Mapping[str, Any]) -> list[str]:
    """Labels of what must be answered and is not. The site judges the rest when the bid is opened; a browser judges more before sealing."""
    said = {pattern(name) for name, value in answers.items() if value not in ("", [], None)}
    return [str(known["label"]) for name, known in sheet.controls.items() if known.get("required") and "#" not in name and name not in said]


def seal(sheet: Sheet, answers: Mapping[str, Any], pledges: Sequence[str], attachments: Mapping[str, bytes]) -> tuple[Sealed, KeptCopy]:
    """The bid, sealed. attachments: "<item>/<file name>" → bytes. Raises SealRefused: as `fields`, pledge, item, recipient."""
    for code, text in sheet.pledges.items():
        if code not in pledges:
            raise SealRefused("pledge", f"{code} {text}")
    for name in attachments:
        if name.partition("/")[0] not in sheet.papers:
            raise SealRefused("item", name)
    return envelope.sealed(sheet.place, written(sheet.rules, fields(sheet, answers), pledges), attachments, sheet.recipient)


def blank_answers(sheet: Sheet) -> str:
    """A TOML file to fill in: every control with its label and choices as a comment, the first row of each table."""
    lines = ["# 承诺书：同意的，把代号写进来 / pledges: write the codes you agree to", *(f"# {code}: {_line(text)}" for code, text in sheet.pledges.items())]
    lines += ["pledges = []", "", "[answers]"]
    for name, known in sheet.controls.items():
        choices = "；".join(f"{value} = {label}" for value, label in known.get("choices", {}).items() if value)
        lines += [f"# {_line(known['label'])}{' *' if known.get('required') else ''}", *([f"#   {_line(choices)}"] if choices else [])]
        lines.append(f"{name.replace('#', '0')} = \"\"")
    lines += ["", "# 附件，每个一段 / one block for each attachment", *(f"#   {item}: {_line(title)}" for item, title in sheet.papers.items())]
    return "\n".join([*lines, "# [[attachments]]", '# item = ""', '# file = ""', ""])


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def pack(sealed: Sealed) -> bytes:
    """The envelope as one ZIP, to be uploaded. The same envelope gives the same bytes."""
    return archives.packed([(HEADER, encode(sealed.header)), *((f"{name}.age", content) for name, content in sealed.files.items())])


def unpack(content: bytes, most: int) -> Sealed:
    """The envelope in a ZIP, read in memory; names are never paths. most: bytes of everything in it. Raises SealRefused("format" | "missing")."""
    try:
        files = archives.contents(content, most)
    except archives.Unreadable as wrong:
        raise SealRefused("format", "ZIP") from wrong
    if HEADER not in files:
        raise SealRefused("missing", HEADER)
    try:
        header = json.loads(files.pop(HEADER))
    except (ValueError, RecursionError) as wrong:
        raise SealRefused("format", HEADER) from wrong
    if not isinstance(header, dict):
        raise SealRefused("format", HEADER)
    return Sealed(header, {name.removesuffix(".age"): data for name, data in files.items()})
