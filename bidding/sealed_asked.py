"""What a call asks, for the browser that must judge a bid which nobody else may read: the JSON that `sealed-check.js` and `sealed.js` read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from bidding import sealed_budget
from bidding.completeness import not_admitted
from bidding.forms import BudgetRow, KpiRow, MemberRow
from bidding.models import Bid
from bidding.sealed_form import SealedForm, asked_sections
from bidding.sealed_prefilled import carried
from bidding.services.attaching import kinds_of, most_bytes
from grants import clock
from grants.calls.rulebook.parts.form import FieldKind
from grants.documents.inspection import KINDS

MOST_BYTES, MOST_FILES = 190 * 2**20, 59
"""Of all attachments: sealing adds a little, and the manifest is a file too."""
CHOSEN = (FieldKind.CHOICE, FieldKind.MULTICHOICE, FieldKind.YESNO)


def asked(form: SealedForm) -> dict[str, Any]:
    """JSON types. fields: every question with its control's name and limits; the rest as `completeness` reads it."""
    bid, rules = form.bid, form.bid.rules
    return {
        "fields": [*_about(form), *(field for section in form.sections for field in _fields(section))],
        "standing": not_admitted(bid),
        "columns": _columns(),
        "budget": sealed_budget.for_page(rules),
        "kpis": [_kpi(rules, kpi) for kpi in rules.outcomes.kpis],
        "beneficiaries": not rules.amounts.micro,
        "people": max(1, 0 if bid.organisation.is_legal_person else rules.eligibility.minimum_adults),
        "professionals": _professionals(rules),
        "papers": [_paper(item) for item in form.papers.asked],
        "declarations": len(rules.forms.declarations),
        "mostBytes": MOST_BYTES,
        "mostFiles": MOST_FILES,
        "today": clock.today().isoformat(),
    }


def _about(form: SealedForm) -> Iterator[dict[str, Any]]:
    for name, field in form.about.fields.items():
        yield {
            "name": form.about.add_prefix(name), "label": str(field.label), "required": field.required or name == "sponsor",
            "chosen": name != "title", "most": 120 if name == "title" else 0,
        }  # fmt: skip


def _fields(section: Any) -> Iterator[dict[str, Any]]:
    for field in section.section.fields:
        if field.kind is FieldKind.FILE:
            continue
        shown = {**_plain(field), "name": section.add_prefix(field.code)}
        if field.kind is FieldKind.TABLE:
            shown |= {"least": field.min_rows, "columns": [{**_plain(c), "code": c.code} for c in field.columns]}
        yield shown


def _plain(field: Any) -> dict[str, Any]:
    limits = {name: f"{value:f}" for name in ("minimum", "maximum") if (value := getattr(field, name, None)) is not None}
    return {
        "label": field.label, "kind": str(field.kind), "required": field.required, "chosen": field.kind in CHOSEN,
        "most": field.max_chars if field.kind in (FieldKind.TEXT, FieldKind.LONGTEXT) else 0, **limits,
    }  # fmt: skip


def _columns() -> dict[str, str]:
    """Headings of the tables, for sentences."""
    budget, kpi = BudgetRow.base_fields, KpiRow.base_fields
    names = {name: str(budget[name].label) for name in ("category", "name", "unit_price", "quantity")}
    return {**names, "target": str(kpi["target"].label), "kind": str(kpi["kind"].label), "person": str(MemberRow.base_fields["name"].label)}


def _kpi(rules: Any, kpi: Any) -> dict[str, Any]:
    field = next((f"s-{s.code}-{f.code}" for s in rules.forms.application for f in s.fields if f.kpi == kpi.code), "")
    least = "" if kpi.minimum is None else f"{kpi.minimum:f}"
    return {"code": kpi.code, "name": kpi.name, "required": kpi.required, "minimum": least, "field": field}


def _professionals(rules: Any) -> dict[str, Any] | None:
    wanted = rules.eligibility.professionals
    return None if wanted is None else {"least": wanted.at_least, "titles": list(wanted.titles), "supervisors": wanted.supervisors}


def _paper(item: Any) -> dict[str, Any]:
    kinds = [{"key": key, "label": KINDS[key].label, "extensions": list(KINDS[key].extensions)} for key in sorted(kinds_of(item.media_types))]
    return {"code": item.code, "name": item.name, "required": item.required, "expires": bool(item.expires), "most": most_bytes(item), "kinds": kinds}


SENTENCES: Mapping[str, Any] = {
    "ready": _("封标程序已就绪。草稿会自动存在这台电脑上，不会传到服务器。"),
    "no_crypto": _("这个浏览器不能封标（需要加密连接和较新的浏览器）。请换用新版 Edge、Chrome、Firefox 或 Safari，或用页面最下面较弱的方式。"),
    "saving": _("正在存到这台电脑…"),
    "saved": _("草稿已存在这台电脑，{at}"),
    "restored": _("已找回这台电脑上的草稿（{at}）"),
    "filled": _("从单位资料和以往申报带入了 {n} 项，都标着“来自单位资料，请确认”，请逐项核对。"),
    "carried": _("“{label}”是从单位资料或以往申报带入的，请核对后点“核对无误”，或者修改。"),
    "carried_tag": _("来自单位资料，请确认"),
    "carried_sound": _("核对无误"),
    "unkept": _("草稿没能存在这台电脑：请先不要关闭页面，马上点“导出草稿”。"),
    "elsewhere": _("这份草稿正在另一个标签页里填写。"),
    "complete": _("检查完毕，没有发现问题。可以封标提交。"),
    "row": _("第 {n} 行"),
    "missing": _("请填写“{label}”"),
    "choose": _("请选择“{label}”"),
    "words": _("“{label}”限 {most} 字，现为 {n} 字，请删减 {over} 字"),
    "number": _("“{label}”应为数字，最多两位小数"),
    "money": _("“{label}”应为金额，例如 1,200.00"),
    "date": _("“{label}”应为日期，例如 2026-03-30"),
    "least": _("“{label}”不能小于 {least}"),
    "most": _("“{label}”不能大于 {most}"),
    "rows": _("“{label}”至少填写 {least} 行"),
    "kpi": _("请填写指标“{label}”的目标值"),
    "served": _("请至少写明一个受益人群的人数或人次"),
    "people": _("请至少列出 {least} 名项目成员"),
    "professionals": _("本次征集要求至少 {least} 名持证专业人员（{titles}），现有 {held} 名"),
    "supervisors": _("请至少指定 {least} 名督导"),
    "paper": _("请选择附件“{label}”的文件"),
    "until": _("请填写“{label}”的有效期截止日"),
    "expired": _("“{label}”已于 {day} 过期，请更换在有效期内的文件"),
    "whole": _("附件最多 {n} 个、共 {mb} MB，请压缩后再选"),
    "declarations": _("请逐条确认承诺书，还有 {n} 条没有确认"),
    "file_name": _("“{name}”：文件名为空或含有不可见字符，请改名后再选"),
    "file_long": _("“{name}”：文件名太长，请缩短后再选"),
    "file_empty": _("“{name}”是空文件"),
    "file_large": _("“{name}”超过 {mb} MB，请压缩后再选"),
    "file_type": _("“{name}”的格式不能接收。可以选：{kinds}"),
    "file_disguised": _("“{name}”的内容与扩展名不符或不完整，请用原来的软件重新导出"),
    "file_password": _("“{name}”设有打开密码或是旧版格式，请另存为新格式后再选"),
    "remove": _("移除"),
    "sealing": _("正在封标：{done} / {whole}"),
    "sealed": _("已封好。第 2 步：保存投标留存包。"),
    "sending": _("正在提交：{done} / {whole}"),
    "resting": _("没有连上服务器，{n} 秒后用同一份封好的文件再试。也可以马上再试。"),
    "signed_out": _("登录已失效，还没有提交。请在新标签页里重新登录，再回到这里点“提交”；封好的文件都在。"),
    "refused": _("没有提交：{why}"),
    "handed_in": _("已提交，编号 {number}。正在打开回执页…"),
    "kept_name": _("投标留存包 {call} 第{n}版.zip"),
    "draft_name": _("申报草稿 {call}.age"),
    "locking": _("正在加密草稿，要几秒钟…"),
    "wrong_words": _("口令不对，或文件已损坏。请逐组核对口令。"),
    "not_ours": _("这不是从这里导出的草稿，也不是投标留存包。"),
    "other_call": _("这个文件是另一次征集的，没有读入。"),
    "replaced": _("已读入，原来的草稿已被替换。请核对。"),
    "seal_failed": _("封标没有成功：{why}。草稿没有丢，请再试一次。"),
}
"""Everything the scripts say; figures in braces are filled in there."""


def sentences() -> dict[str, str]:
    """SENTENCES in the reader's language."""
    return {name: str(sentence) for name, sentence in SENTENCES.items()}


def for_page(form: SealedForm, sealing: Mapping[str, Any], bid: Bid) -> dict[str, Any]:
    """The whole JSON of the page: what is sealed to whom, what is asked, what is said, where to send it, what the organisation has told before."""
    told = carried(bid, asked_sections(bid))
    return {"sealing": dict(sealing), "asked": asked(form), "said": sentences(), "call": bid.call.code, "carried": told}
