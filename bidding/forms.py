"""Forms of the bidding pages. They read what was typed; services and the door judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bidding.completeness import admits, asked_attachments, needs_sponsor
from bidding.models import Bid, BudgetLine, Kpi
from bidding.services.tables import MOST_ROWS, promised_elsewhere
from bidding.services.working_copy import count, money
from bidding.services.writing import TITLE_CHARS
from bidding.tasks_of import titles_of
from grants import clock
from grants.calls.models import Call
from grants.money import fen, yuan
from grants.people.models import Organisation
from grants.people.services import agreements_on
from grants.web.fields import DayField, YuanInput
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm
from grants.workflow.refusals import Invalid

NARROW = {"class": "gc-sheet__narrow", "inputmode": "decimal"}
WIDE = {"class": "gc-sheet__wide"}
MORE_ROWS = 3


def show(form: forms.BaseForm, problems: Mapping[str, Sequence[str]], sentence: str = "") -> None:
    """Put a refusal's sentences beside their fields; what belongs to no field, or the refusal itself, above the form."""
    if not problems and sentence:
        form.add_error(None, sentence)
    for name, told in problems.items():
        for each in told:
            form.add_error(name if name in form.fields else None, each)


class AboutForm(forms.Form):
    """Title and place of a bid in its call; only what the call's rules ask for."""

    title = forms.CharField(label=_("项目名称"))
    category = forms.ChoiceField(label=_("服务领域"), widget=forms.RadioSelect)

    def __init__(self, call: Call, organisation: Organisation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = call.rules
        self.fields["category"].choices = [(c.code, c.name) for c in rules.categories]  # type: ignore[attr-defined]
        tracks = [(t.code, t.name) for t in rules.tracks if admits(t.kinds, organisation)]
        if tracks:
            self.fields["track"] = forms.ChoiceField(label=_("组别"), choices=tracks, widget=forms.RadioSelect)
        if rules.needs.items:
            needs = [(n.code, f"{n.code} {n.title}" + (f"({n.place})" if n.place else "")) for n in rules.needs.items]
            self.fields["need"] = forms.ChoiceField(
                label=_("对应需求"), choices=[("", _("请选择")), *needs], required=rules.needs.mode == "only_list"
            )
        if needs_sponsor(rules, organisation):
            held = [a.sponsor for a in agreements_on(organisation, clock.today())]
            self.fields["sponsor"] = forms.ModelChoiceField(
                Organisation.objects.filter(pk__in=[s.pk for s in held]), label=_("托管组织"), required=False,
                help_text=_("由托管组织签约、收款。没有列出的，请先在单位页面签订托管协议。"),
            )  # fmt: skip

    def answers(self) -> dict[str, str]:
        """What was chosen, as it is kept: codes, and the sponsor's id. Call after `is_valid()`."""
        return {name: str(getattr(value, "pk", value) or "") for name, value in self.cleaned_data.items()}

    def in_words(self, answer: str, value: Any) -> str:
        """A stored value as its choice is called."""
        choices = {str(code): str(name) for code, name in getattr(self.fields[answer], "choices", ())}
        return choices.get(str(value), str(value))


class StartForm(forms.Form):
    """Which of one's organisations bids, and what for."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("申报单位"), empty_label=None)
    title = forms.CharField(label=_("项目名称"), validators=[MaxLengthValidator(TITLE_CHARS)], help_text=_("以后可以修改。"))

    def __init__(self, organisations: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = organisations  # type: ignore[attr-defined]
        self.fields["organisation"].initial = organisations.first()


class RowForm(forms.Form):
    """One row of a table. A row in which nothing of `counts` was typed is not there.

    called: column → other headings it has in people's own sheets. figures: columns that hold numbers.
    """

    counts: tuple[str, ...] = ()
    called: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    figures: tuple[str, ...] = ()

    def __init__(self, *args: Any, bid: Bid, **kwargs: Any) -> None:
        kwargs["use_required_attribute"] = False
        super().__init__(*args, **kwargs)
        self.bid = bid
        self.prepare()
        for field in self.fields.values():
            field.required = False
            field.widget.attrs["aria-label"] = field.label

    def prepare(self) -> None:
        """Fill in choices from the call's rules."""

    def is_there(self) -> bool:
        return any(str(self.cleaned_data.get(name, "")).strip() for name in self.counts)


class BudgetRow(RowForm):
    """One budget line; the amount is unit price × quantity."""

    counts = ("category", "name", "unit_price", "note")
    called: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "category": ("类别", "费用科目", "科目", "支出类别", "预算科目"), "name": ("项目", "内容", "支出内容", "名称", "明细", "事项"),
        "source": ("来源", "经费来源"), "unit_price": ("单价", "单价（元）"), "quantity": ("次数", "数目"), "note": ("说明", "备注", "测算依据"),
    }  # fmt: skip
    figures = ("unit_price", "quantity")
    category = forms.ChoiceField(label=_("费用类别"))
    name = forms.CharField(label=_("用途"), widget=forms.TextInput(attrs=WIDE))
    source = forms.ChoiceField(label=_("资金来源"), choices=BudgetLine.Source.choices)
    unit_price = forms.CharField(label=_("单价（元）"), widget=YuanInput(attrs={"class": ""}))
    quantity = forms.CharField(label=_("数量"), initial="1", widget=forms.TextInput(attrs=NARROW))
    note = forms.CharField(label=_("测算说明"))

    def amount(self) -> str:
        """The product as it stands on the page; empty while it cannot be told."""
        try:
            return yuan(fen(money("", self["unit_price"].value() or "") * count("", self["quantity"].value() or "")))
        except Invalid:
            return ""

    def prepare(self) -> None:
        names = [(c.code, f"{c.name}（不得列支）" if c.banned else c.name) for c in self.bid.rules.budget.categories]
        self.fields["category"].choices = [("", gettext("请选择")), *names]  # type: ignore[attr-defined]


class KpiRow(RowForm):
    """One indicator or one group that is served."""

    counts = ("code", "kind", "name", "target", "group")
    called: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "name": ("名称", "指标名称"), "kind": ("类型", "计量单位"), "target": ("目标", "数量"), "group": ("人群", "受益群体"),
    }  # fmt: skip
    figures = ("target",)
    code = forms.ChoiceField(label=_("指标"))
    kind = forms.ChoiceField(label=_("计量"), choices=[("", _("按指标")), *Kpi.Kind.choices])
    name = forms.CharField(label=_("名称（自定指标）"))
    target = forms.CharField(label=_("目标值"), widget=forms.TextInput(attrs=NARROW))
    group = forms.ChoiceField(label=_("受益人群"))
    direct = forms.ChoiceField(label=_("受益方式"), choices=[("yes", _("直接")), ("no", _("间接"))])

    def prepare(self) -> None:
        rules, elsewhere = self.bid.rules.outcomes, promised_elsewhere(self.bid)
        asked = [(k.code, k.name) for k in rules.kpis if k.code not in elsewhere]
        self.fields["code"].choices = [("", gettext("自定指标")), *asked]  # type: ignore[attr-defined]
        self.fields["group"].choices = [("", "—"), *((g, g) for g in rules.beneficiaries)]  # type: ignore[attr-defined]


class MemberRow(RowForm):
    """One person of the team."""

    counts = ("name", "role", "qualification", "licence_no")
    called: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "role": ("职务", "分工", "岗位"), "qualification": ("资格", "职称", "资质"), "licence_no": ("证书号", "资格证号", "证号"),
    }  # fmt: skip
    name = forms.CharField(label=_("姓名"))
    role = forms.CharField(label=_("项目职务"))
    qualification = forms.CharField(label=_("职业资格"))
    licence_no = forms.CharField(label=_("证书编号"))
    is_supervisor = forms.BooleanField(label=_("督导"), widget=forms.CheckboxInput)

    def prepare(self) -> None:
        wanted = self.bid.rules.eligibility.professionals
        if wanted is not None:
            choices = [("", gettext("无")), *((t, t) for t in wanted.titles)]
            self.fields["qualification"] = forms.ChoiceField(label=_("职业资格"), choices=choices)


class RowsBase(forms.BaseFormSet):  # type: ignore[type-arg]
    """A table: reads its rows, and shows a refusal beside the cells it names. mark, choice: as in `section_forms.Question`."""

    mark = ""
    choice: Any = None

    def in_words(self, _answer: str, rows: Sequence[Mapping[str, Any]]) -> str:
        """Stored rows as text, one line each; for showing two tables side by side."""
        return "\n".join("｜".join(self._cell(name, value) for name, value in row.items() if value not in ("", False)) for row in rows)

    def _cell(self, name: str, value: Any) -> str:
        field = self.empty_form.fields[name]
        choices = {str(code): str(said) for code, said in getattr(field, "choices", ())}
        return str(field.label) if value is True else choices.get(str(value), str(value))

    def controls(self) -> list[tuple[str, str]]:
        """Every control of an unbound table as a browser would send it."""
        pairs = [(self.management_form.add_prefix(name), str(value)) for name, value in self.management_form.initial.items()]
        for form in self.forms:
            for bound in form:
                value = bound.value()
                if value not in (None, False):
                    pairs.append((bound.html_name, "on" if value is True else str(value)))
        return pairs

    def place(self, name: str) -> str:
        """ "form-<row>-<column>", row among those kept → the control's name on the page."""
        parts = name.split("-", 2)
        return f"{self.kept[int(parts[1])].prefix}-{parts[2]}" if len(parts) == 3 and parts[1].isdigit() else ""

    def rows(self) -> list[dict[str, Any]]:
        """The rows that are there and not ticked for removal. Call after `is_valid()`."""
        self.kept = [f for f in self.forms if f.is_there() and not f.cleaned_data.get("DELETE")]
        return [{name: value for name, value in f.cleaned_data.items() if name != "DELETE"} for f in self.kept]

    def show(self, problems: Mapping[str, Sequence[str]], sentence: str = "") -> None:
        """problems: "form-<row>-<column>" (row among those kept) → sentences."""
        if not problems and sentence:
            self._non_form_errors.append(sentence)  # type: ignore[attr-defined]
        for name, told in problems.items():
            _form, row, column = name.split("-", 2)
            for each in told:
                self.kept[int(row)].add_error(column, each)

    def errors_linked(self) -> list[tuple[str, str]]:
        """(address, sentence) of everything wrong, for the summary above the table."""
        rows = [(f"#{form[name].auto_id}", f"{gettext('第 %(n)d 行') % {'n': i + 1}}{form.fields[name].label}：{e}")
                for i, form in enumerate(self.forms) for name, errors in form.errors.items() if name in form.fields
                for e in errors]  # fmt: skip
        return [("", str(e)) for e in self.non_form_errors()] + rows


def table(row: type[RowForm]) -> Any:
    """The formset class for a kind of row."""
    return forms.formset_factory(
        row, formset=RowsBase, extra=MORE_ROWS, can_delete=True, max_num=MOST_ROWS, absolute_max=MOST_ROWS + MORE_ROWS
    )


class AttachmentForm(forms.Form):
    """One upload for one item of the attachment list."""

    code = forms.ChoiceField(label=_("附件"))
    file = forms.FileField(label=_("文件"), max_length=150)
    expires_on = DayField(label=_("有效期截止日"), required=False, help_text=_("证照等有有效期的附件须填写。"))

    def __init__(self, bid: Bid, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = asked_attachments(bid)
        self.fields["code"].choices = [(a.code, a.name) for a in asked]  # type: ignore[attr-defined]
        if not any(a.expires for a in asked):
            del self.fields["expires_on"]


class DeclareForm(forms.Form):
    """Name, size and hash of a file that will follow; the browser works them out of the file itself."""

    code = forms.ChoiceField(label=_("附件"))
    name = forms.CharField(label=_("文件名"), max_length=150, help_text=_("含扩展名，例如 章程.pdf。"))
    size = forms.IntegerField(label=_("大小（字节）"), min_value=1, widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    sha256 = forms.CharField(label="SHA-256", max_length=64, help_text=_("选择文件后自动算出；也可用系统自带的工具算好填入。"))
    expires_on = DayField(label=_("有效期截止日"), required=False, help_text=_("证照等有有效期的附件须填写。"))

    def __init__(self, bid: Bid, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = asked_attachments(bid)
        self.fields["code"].choices = [(a.code, a.name) for a in asked]  # type: ignore[attr-defined]
        if not any(a.expires for a in asked):
            del self.fields["expires_on"]


class WorkbookForm(forms.Form):
    """A filled-in workbook."""

    file = forms.FileField(label=_("工作簿"), max_length=150, help_text=_("Excel（xlsx），2 MB 以内。"))


class FindingForm(forms.Form):
    """A clerk's conclusion on one rule, with evidence."""

    rule = forms.ChoiceField(label=_("资格条件"))
    outcome = forms.ChoiceField(label=_("结论"), choices=[("pass", _("合格")), ("fail", _("不合格"))], widget=forms.RadioSelect)
    evidence_note = forms.CharField(
        label=_("凭证说明"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("查询的网站或文件、查询时间和结果。说明和凭证文件至少有一项。"),
    )  # fmt: skip
    evidence = forms.FileField(label=_("凭证文件"), required=False, help_text=_("PDF、JPG 或 PNG,10 MB 以内。"))

    def __init__(self, findings: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [(f.rule, f.sentence) for f in findings]  # type: ignore[attr-defined]


class SignForm(StepForm):
    """Submitting: every declaration of the call, accepted one by one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert isinstance(self.obj, Bid)
        asked = [(d.code, d.text) for d in self.obj.rules.forms.declarations]
        if asked:
            self.fields["declarations"] = forms.MultipleChoiceField(
                label=_("承诺书"), choices=asked, required=False, widget=forms.CheckboxSelectMultiple,
                help_text=_("请逐条确认。确认即为签署，与回执一并存档。"),
            )  # fmt: skip
        self.order_fields(["declarations", "note"])

    def details(self) -> dict[str, Any]:
        return {"declarations": self.cleaned_data.get("declarations", [])}


class ReturnForm(StepForm):
    """Returning for correction: what is missing."""

    items = forms.CharField(
        label=_("要补正的内容"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("逐条写明缺什么、应改成什么。补正期限按征集规则自动计算。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = False
        self.fields["note"].widget = forms.HiddenInput()


class SendBackForm(StepForm):
    """The signatory's reason for not signing yet, and the pages it is about."""

    reason = forms.CharField(
        label=_("要改什么"), widget=forms.Textarea(attrs={"rows": 5}), help_text=_("填报人据此修改，改好后会再请您签署。")
    )
    pages = forms.MultipleChoiceField(label=_("在哪几部分"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert isinstance(self.obj, Bid)
        self.fields["pages"].choices = titles_of(self.obj)  # type: ignore[attr-defined]
        self.fields["note"].widget = forms.HiddenInput()


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Bid, "submit"): SignForm,
    (Bid, "return_for_correction"): ReturnForm,
    (Bid, "send_back"): SendBackForm,
}
