"""What was sealed, read into a working copy at the opening; and the same judged in memory before a server seals it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from bidding.completeness import Problem, problems
from bidding.models import Attachment, Bid, BudgetLine, Kpi, TeamMember
from bidding.sealed_form import SealedForm, unsaved
from bidding.services.attaching import kinds_of, most_bytes, take
from bidding.services.keeping import WRITTEN
from bidding.services.tables import BUDGET, KPIS, ROWS, TEAM, Table
from bidding.services.writing import TITLE_CHARS, About, Answers, promises
from grants.calls.rulebook.form import is_empty, missing_declarations
from grants.documents.inspection import FileRefused, clean_name, kind_of
from grants.workflow.refusals import Invalid

TABLES: Sequence[tuple[Table, type[Any]]] = ((BUDGET, BudgetLine), (KPIS, Kpi), (TEAM, TeamMember))
STANDS_FOR_A_FILE = "-"
MOST_NAMED = 5


def written(form: SealedForm, attachments: Mapping[str, bytes], declarations: Sequence[str]) -> list[str]:
    """Write the form's bid; see `sealed_form.write`."""
    bid = form.bid
    form.is_valid()
    told = [*_strangers(form), *_about(form, bid)]
    for section in form.sections:
        part = Answers(section.section.code)
        wrong = part.write(bid, part.tidy(bid, section.answers(), strict=False), strict=False)
        told += _said(section.section.title, wrong)
    titles = dict(form.titles)
    for table, _model in TABLES:
        wrong = table.write(bid, table.tidy(bid, {ROWS: _rows(form, table)}, strict=False), strict=False)
        told += _said(str(titles[table.page]), wrong)
    bid.save(update_fields=WRITTEN)
    told += [sentence for name, content in attachments.items() if (sentence := _attached(form, name, content))]
    missing = missing_declarations(bid.rules.forms.declarations, list(declarations))
    return [*told, *([_("有 %(n)d 条承诺没有确认。") % {"n": len(missing)}] if missing else [])]


def _strangers(form: SealedForm) -> Iterator[str]:
    """Controls that this call's form does not have: the rules changed after sealing, or somebody made the manifest by hand."""
    unknown = [name for name in form.data if name not in form.known()]
    if unknown:
        names = "、".join(name[:60] for name in unknown[:MOST_NAMED])
        yield _("有 %(n)d 项内容不在本次征集的表单里，没有采用：%(names)s") % {"n": len(unknown), "names": names}


def _about(form: SealedForm, bid: Bid) -> Iterator[str]:
    typed = {name: str(form.data.get(form.about.add_prefix(name), "")).strip() for name in form.about.fields}
    if "sponsor" in typed and typed["sponsor"] and "sponsor" in form.about.errors:
        typed["sponsor"] = ""  # an id that no agreement knows is no answer worth keeping
        yield _("项目概况：选择的托管组织与贵单位没有托管协议。")
    bid.title = typed["title"][:TITLE_CHARS]  # what stays when it is too long: no longer the name that every sealed bid has
    yield from _said(_("项目概况"), About().write(bid, typed, strict=False))


def _said(part: str, wrong: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{part}：{sentence}" for sentences in wrong.values() for sentence in sentences]


def _rows(form: SealedForm, table: Table) -> list[dict[str, Any]]:
    return list(getattr(form, table.page).rows())


def _attached(form: SealedForm, path: str, content: bytes) -> str:
    """Keep one attachment; a sentence when it could not be kept. Its day of expiry is kept as it was typed, also when it has passed since.

    Raises FileRefused("unscanned"): a scanner that does not answer says nothing about the file, and an opening comes only once.
    """
    code, _slash, name = path.partition("/")
    asked = next((item for item in form.papers.asked if item.code == code), None)
    if asked is None:
        return _("附件“%(name)s”：本次征集没有要求这一项，没有采用。") % {"name": path}
    try:
        take(form.bid, asked, ContentFile(content), name=name, expires_on=form.papers.expires_on(code), by=form.bid.written_by)
    except Invalid as refused:
        return _("附件“%(name)s”：%(why)s") % {"name": path, "why": refused}
    except FileRefused as refused:
        if refused.code == "unscanned":
            raise
        return _("附件“%(name)s”：%(why)s") % {"name": path, "why": refused.sentence}
    return ""


def judged(form: SealedForm) -> list[tuple[str, str]]:
    """(address of the control, sentence) of everything that is missing or wrong; see `SealedForm.problems`. Nothing is stored."""
    bid = unsaved(form.bid)
    form.is_valid()
    list(_about(form, bid))
    kpis = list(_in_memory(form, bid))
    for table, model in TABLES:
        rows, typed = _made(table, bid, _rows(form, table))
        bid.typed = {**bid.typed, **typed}
        _stand(bid, table.page if model is not BudgetLine else "budget_lines", model, [*(kpis if model is Kpi else []), *rows])
    _stand(bid, "attachments", Attachment, [_paper(form, bid, code, upload) for code, upload in form.uploads()])
    refused = [(f"#id_paper-{code}", told) for code, upload in form.uploads() if (told := _unfit(form, code, upload))]
    return [*refused, *((_address(form, p), p.sentence) for p in problems(bid)), *_undeclared(form)]


def _in_memory(form: SealedForm, bid: Bid) -> Iterator[Kpi]:
    """Put the answers on the copy; yields the indicators that they promise."""
    for section in form.sections:
        part = Answers(section.section.code)
        given = part.tidy(bid, section.answers(), strict=False)
        values = {**part.current(bid), **given}
        bid.answers = {**bid.answers, part.section: {code: value for code, value in values.items() if not is_empty(value)}}
        yield from promises(bid, part.asked(bid), values)


def _made(table: Table, bid: Bid, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Any], dict[str, Any]]:
    try:
        return table.made(bid, rows), {}
    except Invalid:
        return [], {table.page: {ROWS: list(rows)}}


def _stand(bid: Bid, relation: str, model: type[Any], rows: list[Any]) -> None:
    """Let rows that were never saved answer where the bid is asked for its own: as if they had been prefetched."""
    held = model._base_manager.none()
    held._result_cache = rows
    bid._prefetched_objects_cache[relation] = held  # type: ignore[attr-defined]


def _paper(form: SealedForm, bid: Bid, code: str, upload: Any) -> Attachment:
    return Attachment(bid=bid, code=code, name=upload.name, file_id=STANDS_FOR_A_FILE, expires_on=form.papers.expires_on(code))


def _unfit(form: SealedForm, code: str, upload: Any) -> str:
    """What the name and size of a file say; its content is looked at when it is opened."""
    asked = next(item for item in form.papers.asked if item.code == code)
    try:
        kind_of(clean_name(upload.name), kinds_of(asked.media_types))
    except FileRefused as refused:
        return refused.sentence
    if upload.size > most_bytes(asked):
        return _("“%(name)s”超过 %(mb)d MB，请压缩后再选。") % {"name": upload.name, "mb": most_bytes(asked) // 2**20}
    return ""


def _undeclared(form: SealedForm) -> Iterator[tuple[str, str]]:
    accepted = form.data.getlist("declarations")
    if missing := missing_declarations(form.bid.rules.forms.declarations, accepted):
        yield "#id_declarations_0", _("请逐条确认承诺书，还有 %(n)d 条没有确认。") % {"n": len(missing)}


def _address(form: SealedForm, problem: Problem) -> str:
    """Where on the sealed page a problem is mended."""
    page, _slash, section = problem.page.partition("/")
    finders: Mapping[str, Callable[[], str]] = {
        "about": lambda: _control(form.about, problem.field),
        "sections": lambda: _in_section(form, section, problem.field),
        "attachments": lambda: f"#id_paper-{problem.field}",
    }
    place = finders.get(page, lambda: "")()
    if page in ("budget", "team") and problem.field.startswith("form-"):
        place = f"#id_{getattr(form, page).place(problem.field)}"
    return place or f"#{page if page != 'sections' else f's-{section}'}"


def _in_section(form: SealedForm, code: str, field: str) -> str:
    found = next((part for part in form.sections if part.section.code == code), None)
    return "" if found is None else _control(found, found.place(field))


def _control(form: Any, name: str) -> str:
    if name not in form.fields:
        return f"#id_{form.add_prefix(name)}" if name else ""
    bound = form[name]
    return f"#{bound.id_for_label or f'{bound.auto_id}_0'}"
