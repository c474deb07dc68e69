"""The form as a Word document that a person can fill in: real headings, real tables, Chinese fonts named for every script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from bidding.questions import Asked, Fact

BODY, HEAD = "宋体", "黑体"
LINE = Pt(18)
BUDGET_HEADS = ("费用类别", "用途", "资金来源", "单价（元）", "数量", "金额（元）", "测算说明")
BUDGET_ROWS = 10


def write(form: dict[str, Any], *, title: str, lead: Sequence[str], made_at: datetime) -> bytes:
    """The document as bytes. form: `questions.everything`. lead: sentences under the title. made_at: kept in the properties."""
    document = Document()
    _set_up(document, title, made_at)
    document.add_heading(title, 0)
    for sentence in lead:
        document.add_paragraph(sentence)
    _about(document, form)
    for group in form["groups"]:
        document.add_heading(f"{group.number}. {group.title}", 1)
        if group.help:
            document.add_paragraph(group.help)
        for asked in group.questions:
            _question(document, asked)
    _budget(document, form)
    _rest(document, form)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _set_up(document: Any, title: str, made_at: datetime) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(25)
    page.top_margin = page.bottom_margin = Mm(25)
    for style, font, size in (("Normal", BODY, 11), ("Title", HEAD, 20), ("Heading 1", HEAD, 15), ("Heading 2", HEAD, 12)):
        _font(document.styles[style], font, size)
    properties = document.core_properties
    properties.title, properties.language = title, "zh-CN"
    properties.created = properties.modified = made_at.replace(tzinfo=None)
    _page_number(page.footer.paragraphs[0])


def _font(style: Any, name: str, size: int) -> None:
    """The same face for Latin and for Chinese letters: Word chooses an East Asian face of its own when none is named."""
    style.font.name, style.font.size = name, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(script), name)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)


def _page_number(paragraph: Paragraph) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text
        run._r.append(part)  # python-docx has no fields of its own


def _about(document: Any, form: dict[str, Any]) -> None:
    document.add_heading("项目概况", 1)
    chosen = [("项目名称", ""), ("申报单位", "")]
    for what in dict.fromkeys(place.name for place in form["places"]):
        names = [p.wants + (f"（{p.note}）" if p.note else "") for p in form["places"] if p.name == what]
        chosen.append((what, "\n".join(f"□ {name}" for name in names)))
    _grid(document, ("项目", "填写"), chosen)


def _question(document: Any, asked: Asked) -> None:
    document.add_heading(f"{asked.number} {asked.label}", 2)
    document.add_paragraph("。".join(filter(None, [asked.wants, asked.help.rstrip("。")])) + "。")
    if asked.columns:
        _grid(document, [label for label, _wants in asked.columns], [[""] * len(asked.columns)] * asked.rows)
    elif asked.options:
        for option in asked.options:
            document.add_paragraph(f"□ {option}")
    elif asked.kind == "yesno":
        document.add_paragraph("□ 是    □ 否")
    elif asked.kind != "file":
        box = document.add_table(1, 1, style="Table Grid")
        box.rows[0].height_rule, box.rows[0].height = WD_ROW_HEIGHT_RULE.AT_LEAST, LINE * asked.lines


def _budget(document: Any, form: dict[str, Any]) -> None:
    document.add_heading("预算", 1)
    for sentence in form["limits"]:
        document.add_paragraph(sentence, style="List Bullet")
    _grid(document, ("费用类别", "上限", "说明"), _facts(form["money"]))
    document.add_paragraph("每行金额 = 单价 × 数量。资金来源填“申请资助”“配套资金”或“实物/场地/志愿服务折价”。")
    _grid(document, BUDGET_HEADS, [[""] * len(BUDGET_HEADS)] * BUDGET_ROWS)


def _rest(document: Any, form: dict[str, Any]) -> None:
    document.add_heading("指标与受益人群", 1)
    _grid(document, ("指标", "要求", "最低值", "目标值"), [(*row, "") for row in _facts(form["figures"])])
    document.add_paragraph("受益人群：" + "、".join(form["served"]) + "。")
    document.add_heading("人员名单", 1)
    for sentence in form["people"]:
        document.add_paragraph(sentence)
    _grid(document, ("姓名", "项目职务", "职业资格", "证书编号"), [[""] * 4] * 4)
    document.add_heading("附件", 1)
    _grid(document, ("附件", "要求", "适用"), _facts(form["papers"]))
    document.add_heading("承诺书", 1)
    for each in form["declarations"]:
        document.add_paragraph(each.text, style="List Number")
    document.add_heading("评审看什么", 1)
    for sheet in form["sheets"]:
        rows = [(c.name, f"{c.weight.normalize():f}", c.note) for c in sheet.criteria]
        document.add_paragraph(sheet.name)
        _grid(document, ("指标", "分值", "评分说明"), rows)


def _facts(facts: Iterable[Fact]) -> list[tuple[str, str, str]]:
    return [(fact.name, fact.wants, fact.note) for fact in facts]


def _grid(document: Any, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose first row is repeated on every page it runs over."""
    table = document.add_table(1, len(heads), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, heads, strict=True):
        cell.text = text
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in rows:
        made = table.add_row()
        made.height_rule, made.height = WD_ROW_HEIGHT_RULE.AT_LEAST, LINE
        for cell, text in zip(made.cells, row, strict=True):
            cell.text = text
    document.add_paragraph()
