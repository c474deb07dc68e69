"""表单: sections and fields, one engine for the bid, the reports and the closing; plus what is attached and counted."""

from __future__ import annotations

from pydantic import Field

from grants.calls.rulebook.parts.base import Code, Count, Flag, Named, Part, Points, Positive, Prose, Text
from grants.calls.rulebook.parts.eligibility import EntityKind


class FieldKind(Named):
    """What one answer is."""

    TEXT = "text", "单行文字"
    LONGTEXT = "longtext", "多行文字"
    NUMBER = "number", "数字"
    MONEY = "money", "金额（元）"
    DATE = "date", "日期"
    CHOICE = "choice", "单选"
    MULTICHOICE = "multichoice", "多选"
    TABLE = "table", "表格"
    YESNO = "yesno", "是否"
    FILE = "file", "附件"


class Column(Part):
    """One column of a table field; any kind but a table or a file."""

    code: Code = Field(title="编号", description="Key in each row.")
    label: Text = Field(title="列名", description="Column heading.")
    kind: FieldKind = Field(default=FieldKind.TEXT, title="类型", description="What a cell holds.")
    required: Flag = Field(default=True, title="必填", description="Whether each row must fill it.")
    options: tuple[Text, ...] = Field(default=(), title="选项", description="For choices.")
    max_chars: Count = Field(default=0, title="字数上限", description="Words as Word counts them (字数); 0 = no limit.")


class FormField(Part):
    """One question."""

    code: Code = Field(title="编号", description="Key of the answer; stable across versions.")
    label: Text = Field(title="名称", description="The question as asked.")
    kind: FieldKind = Field(title="类型", description="What the answer is.")
    required: Flag = Field(default=True, title="必填", description="Must be answered before submitting.")
    help: Prose = Field(default="", title="填写说明", description="Shown under the question.")
    max_chars: Count = Field(
        default=0, title="字数上限", description="Words as Word counts them (字数); 0 = no limit."
    )
    options: tuple[Text, ...] = Field(default=(), title="选项", description="For choice and multichoice.")
    columns: tuple[Column, ...] = Field(default=(), title="列", description="For tables.")
    min_rows: Count = Field(default=0, title="最少行数", description="For tables.")
    max_rows: Count = Field(default=0, title="最多行数", description="For tables; 0 = 50.")
    minimum: Points | None = Field(default=None, title="最小值", description="For numbers and money.")
    maximum: Points | None = Field(default=None, title="最大值", description="For numbers and money.")
    kpi: Code | None = Field(default=None, title="对应指标", description="The KPI this answer promises or reports.")
    attachment: Code | None = Field(default=None, title="对应附件", description="The attachment a file field asks for.")


class Section(Part):
    """A group of questions shown on one page."""

    code: Code = Field(title="编号", description="Key of the section's answers.")
    title: Text = Field(title="标题", description="Heading.")
    help: Prose = Field(default="", title="说明", description="Shown under the heading.")
    fields: tuple[FormField, ...] = Field(title="问题", description="In order.", min_length=1)


class Declaration(Part):
    """承诺: a sentence the signatory must accept."""

    code: Code = Field(title="编号", description="Key.")
    text: Text = Field(title="承诺内容", description="The sentence.")


class Forms(Part):
    """Every form of a call."""

    application: tuple[Section, ...] = Field(title="申报书", description="Sections of the bid.", min_length=1)
    midterm: tuple[Section, ...] = Field(default=(), title="中期报告", description="Sections of the mid-term report.")
    final: tuple[Section, ...] = Field(default=(), title="末期报告", description="Sections of the final report.")
    closing: tuple[Section, ...] = Field(default=(), title="结项表", description="Sections of the closing form.")
    declarations: tuple[Declaration, ...] = Field(default=(), title="承诺书", description="Accepted at submission.")


class Measure(Named):
    """What a KPI counts (受益人数 is unique persons, 受益人次 counts visits)."""

    PERSONS = "persons", "受益人数"
    PERSON_TIMES = "person_times", "受益人次"
    SESSIONS = "sessions", "服务场次"
    HOURS = "hours", "服务小时"
    HOUSEHOLDS = "households", "受益户数"
    PERCENT = "percent", "百分比"
    ITEMS = "items", "件数"


class Kpi(Part):
    """产出或成效指标."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As printed.")
    measure: Measure = Field(title="计量", description="What is counted.")
    required: Flag = Field(default=True, title="必填", description="Every bid must promise a value.")
    minimum: Points | None = Field(default=None, title="最低值", description="Smallest promise accepted.")


class Outcomes(Part):
    """What a project must promise and count."""

    kpis: tuple[Kpi, ...] = Field(title="指标", description="Indicators.", min_length=1)
    beneficiaries: tuple[Text, ...] = Field(title="受益人群", description="Kinds of beneficiaries to count by.", min_length=1)
    indirect: Flag = Field(
        default=True, title="区分间接受益", description="Whether indirect beneficiaries are stated separately."
    )


class Visibility(Named):
    """Who may open an attachment, besides the applicant."""

    STAFF = "staff", "主办方"
    EXPERTS = "experts", "主办方与评审专家"
    PUBLIC = "public", "公开"


class Phase(Named):
    """When an attachment is asked for."""

    APPLICATION = "application", "申报"
    CONTRACT = "contract", "签约"
    MIDTERM = "midterm", "中期"
    CLOSING = "closing", "结项"


class MediaType(Named):
    """File types that can be checked by content."""

    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "JPEG 图片"
    PNG = "image/png", "PNG 图片"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word 文档"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Excel 表格"


class Attachment(Part):
    """附件."""

    code: Code = Field(title="编号", description="Short name.")
    name: Text = Field(title="名称", description="As applicants see it.")
    required: Flag = Field(default=True, title="必交", description="Whether it must be there.")
    required_for: tuple[EntityKind, ...] = Field(
        default=(), title="适用主体", description="Kinds that must hand it in; empty = all."
    )
    phase: Phase = Field(default=Phase.APPLICATION, title="提交阶段", description="When it is asked for.")
    media_types: tuple[MediaType, ...] = Field(default=(MediaType.PDF,), title="文件类型", description="Types accepted.")
    max_mb: Positive = Field(default=10, title="大小上限（MB）", description="Mebibytes per file.", le=100)
    expires: Flag = Field(
        default=False, title="有有效期", description="Whether an expiry date must be given and still lie ahead."
    )
    visibility: Visibility = Field(default=Visibility.STAFF, title="可见范围", description="Who may open it.")
    redacts: Code | None = Field(
        default=None, title="隐名版对应", description="The attachment of which this is the nameless copy, all that reviewers see when bidders are hidden."
    )
