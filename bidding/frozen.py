"""What a submission says, word for word: the working copy as one plain value that can be read in ten years without this program.

Labels stand beside codes, because the call's rules may no longer be at hand. Amounts and counts are text with two places, days are
ISO dates (Asia/Shanghai), nothing is a float. Reviewers, contracts and the printed application read this value, never the working
copy. No model is imported here: models freeze themselves with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import translation

from bidding.budget import BudgetLine, Source, totals
from grants.documents.inspection import KINDS, kind_of

FORMAT = "bid/1"
OWN = ("title", "category", "track", "need", "rules", "sections", "budget", "team", "attachments")
"""The parts an applicant writes, besides indicators and sponsor; the rest of the document describes them and may change without their doing."""


def document(bid: Any, declarations: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The working copy of `bid` as JSON types.

    Keys: format, bid, number, title, call, rules, organisation, sponsor, category, track, need, sections, budget, kpis, team,
    attachments, declarations. declarations: the ones signed with this submission. Costs four queries.
    """
    with translation.override("zh-hans"):  # the same words whoever's page it is: the text is hashed
        return _document(bid, declarations)


def _document(bid: Any, declarations: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    asked, attachments = bid.rules.forms.application, [*bid.attachments.select_related("file"), *declared(bid)]
    return {
        "format": FORMAT,
        "bid": str(bid.pk),
        "number": bid.number,
        "title": bid.title,
        "call": {"code": bid.call.code, "title": bid.call.title},
        "rules": {"number": bid.rules_version.number, "hash": bid.rules_version.hash},
        "organisation": _body(bid.organisation),
        "sponsor": None if bid.sponsor is None else _body(bid.sponsor),
        **_place(bid),
        "sections": sections(asked, with_files(asked, bid.answers, attachments)),
        "budget": _budget(bid),
        "kpis": [_kpi(k) for k in bid.kpis.all()],
        "team": [_member(m) for m in bid.team.all()],
        "attachments": [_attachment(a, bid.rules) for a in attachments],
        "declarations": [dict(d) for d in declarations],
    }


def declared(bid: Any) -> list[Any]:
    """Files announced by their hash; none, and no query, where the call's rules know no files that follow."""
    return list(bid.declared.all()) if bid.rules.timetable.files_follow_hours else []


def canonical(value: Mapping[str, Any]) -> str:
    """Canonical JSON text of a document: keys sorted, no spaces; equal values give equal text and so the same SHA-256."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def differs(now: Mapping[str, Any], submitted: Mapping[str, Any]) -> bool:
    """Whether an applicant's own parts of two documents differ."""
    parts = any(now[part] != submitted[part] for part in OWN)
    figures = sorted(map(canonical, now["kpis"])) != sorted(map(canonical, submitted["kpis"]))  # their order says nothing
    return parts or figures or _id(now["sponsor"]) != _id(submitted["sponsor"])


def sections(asked: Iterable[Any], answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sections of a form with labels and answers, in the form's order; an unanswered question has the value None."""
    return [
        {
            "code": section.code,
            "title": section.title,
            "fields": [_field(field, answers.get(section.code, {}).get(field.code)) for field in section.fields],
        }
        for section in asked
    ]


def with_files(asked: Iterable[Any], answers: Mapping[str, Any], attachments: Iterable[Any]) -> dict[str, Any]:
    """The answers, with each file question answered by the attachments that its item of the attachment list has."""
    held: dict[str, list[str]] = {}
    for row in attachments:
        held.setdefault(row.code, []).append(row.file_id)
    filled = {section: dict(given) for section, given in answers.items()}
    for section in asked:
        for field in section.fields:
            if str(field.kind) == "file" and field.attachment in held:
                filled.setdefault(section.code, {})[field.code] = held[field.attachment]
    return filled


def _field(field: Any, value: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"code": field.code, "label": field.label, "kind": str(field.kind), "value": value}
    if field.columns:
        shown["columns"] = [{"code": c.code, "label": c.label, "kind": str(c.kind)} for c in field.columns]
    return shown


def _body(organisation: Any) -> dict[str, Any]:
    return {
        "id": str(organisation.pk),
        "name": organisation.name,
        "kind": organisation.kind_of_body,
        "kind_name": str(organisation.Kind(organisation.kind_of_body).label),
        "uscc": organisation.uscc or "",
        "record_no": organisation.record_no,
    }


def _place(bid: Any) -> dict[str, Any]:
    """Field of service, track and need, each as code and name, or None."""
    rules = bid.rules
    return {
        "category": _named(rules.categories, bid.category, "name"),
        "track": _named(rules.tracks, bid.track, "name"),
        "need": _named(rules.needs.items, bid.need, "title"),
    }


def _named(choices: Iterable[Any], code: str, name: str) -> dict[str, str] | None:
    found = next((c for c in choices if c.code == code), None)
    return None if found is None else {"code": code, "name": getattr(found, name)}


def budget_lines(bid: Any) -> list[BudgetLine]:
    """The budget rows as the pure arithmetic reads them."""
    return [
        BudgetLine(line.category, line.name, line.unit_price, line.quantity, line.amount, Source(line.source))
        for line in bid.budget_lines.all()
    ]


def _budget(bid: Any) -> dict[str, Any]:
    rows = list(bid.budget_lines.all())
    names = {c.code: c.name for c in bid.rules.budget.categories}
    sums = totals(BudgetLine(r.category, r.name, r.unit_price, r.quantity, r.amount, Source(r.source)) for r in rows)
    return {
        "lines": [_line(row, names) for row in rows],
        "grant": _two(sums.grant),
        "match_cash": _two(sums.match_cash),
        "match_in_kind": _two(sums.match_in_kind),
        "project": _two(sums.project),
    }


def _line(row: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "category": row.category,
        "category_name": names.get(row.category, row.category),
        "name": row.name,
        "unit_price": _two(row.unit_price),
        "quantity": _two(row.quantity),
        "amount": _two(row.amount),
        "source": str(row.source),
        "source_name": str(row.get_source_display()),
        "note": row.note,
    }


def _kpi(row: Any) -> dict[str, Any]:
    return {
        "code": row.code,
        "kind": str(row.kind),
        "kind_name": str(row.get_kind_display()),
        "name": row.name,
        "target": _two(row.target),
        "unit": row.unit,
        "group": row.group,
        "direct": row.direct,
    }


def _member(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "qualification": row.qualification,
        "licence_no": row.licence_no,
        "is_supervisor": row.is_supervisor,
    }


def _attachment(row: Any, rules: Any) -> dict[str, Any]:
    asked = next((a for a in rules.attachments if a.code == row.code), None)
    return {
        "code": row.code,
        "title": asked.name if asked else row.code,
        "name": row.name,
        "sha256": row.file_id,
        "expires_on": row.expires_on.isoformat() if row.expires_on else None,
        "visibility": str(asked.visibility) if asked else "staff",
        **({"redacts": asked.redacts} if asked and asked.redacts else {}),
        **(_kept(row) if hasattr(row, "file") else _following(row)),
    }


def _kept(row: Any) -> dict[str, Any]:
    return {
        "size": row.file.size, "media_type": row.file.media_type, "added_at": row.added_at.isoformat(), "added_by": str(row.added_by_id),
    }  # fmt: skip


def _following(row: Any) -> dict[str, Any]:
    kind = kind_of(row.name, KINDS.keys())
    told = {"added_at": row.declared_at.isoformat(), "added_by": str(row.declared_by_id)}
    return {"size": row.size, "media_type": kind.media_type, **told, "follows": True}


def _two(value: Decimal) -> str:
    return f"{value:.2f}"


def _id(body: Mapping[str, Any] | None) -> str:
    return "" if body is None else str(body["id"])


def restore(bid: Any, content: Mapping[str, Any]) -> None:
    """Make the working copy of `bid` say what `content` says: columns are set (not saved), child rows are replaced.

    Afterwards `differs(document(bid), content)` is False once the columns are saved.
    """
    bid.title = content["title"]
    bid.category, bid.track, bid.need = (_code(content[part]) for part in ("category", "track", "need"))
    bid.sponsor_id = _id(content["sponsor"]) or None
    bid.rules_version = bid.call.versions.get(number=content["rules"]["number"])
    bid.answers = _answers(content["sections"])
    bid.typed = {}
    bid.marks = {page: {a: {**m, "v": m["v"] + 1} for a, m in marks.items()} for page, marks in bid.marks.items()}
    _replace(bid.budget_lines, bid, map(_line_values, content["budget"]["lines"]))
    _replace(bid.kpis, bid, (_without(row, "kind_name") for row in content["kpis"]))
    _replace(bid.team, bid, content["team"])
    _replace(bid.attachments, bid, (_attachment_values(a) for a in content["attachments"] if not a.get("follows")))
    _keep_declared(bid, [a for a in content["attachments"] if a.get("follows")])


def _answers(asked: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    given = {
        s["code"]: {f["code"]: f["value"] for f in s["fields"] if f["value"] is not None and f["kind"] != "file"} for s in asked
    }
    return {code: answers for code, answers in given.items() if answers}


def _replace(rows: Any, bid: Any, values: Iterable[Mapping[str, Any]]) -> None:
    rows.all().delete()
    has_position = any(f.name == "position" for f in rows.model._meta.fields)
    fresh = [rows.model(bid=bid, **({"position": i} if has_position else {}), **v) for i, v in enumerate(values)]
    rows.bulk_create(fresh)


def _line_values(row: Mapping[str, Any]) -> dict[str, Any]:
    amounts = {key: Decimal(row[key]) for key in ("unit_price", "quantity", "amount")}
    return {**_without(row, "category_name", "source_name"), **amounts}


def _attachment_values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": row["code"],
        "name": row["name"],
        "file_id": row["sha256"],
        "expires_on": date.fromisoformat(row["expires_on"]) if row["expires_on"] else None,
        "added_at": row["added_at"],
        "added_by_id": row["added_by"],
    }


def _keep_declared(bid: Any, listed: list[Mapping[str, Any]]) -> None:
    """What was declared with the version is declared; what has been delivered stays delivered."""
    bid.declared.exclude(sha256__in=[a["sha256"] for a in listed]).delete()
    for a in listed:
        known = {key: a[key] for key in ("code", "name", "size")}
        values = {**known, "expires_on": _attachment_values(a)["expires_on"], "declared_at": a["added_at"], "declared_by_id": a["added_by"]}
        bid.declared.get_or_create(sha256=a["sha256"], defaults=values)


def _without(row: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _code(named: Mapping[str, Any] | None) -> str:
    return "" if named is None else str(named["code"])
