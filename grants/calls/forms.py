"""Forms of calls: rules as text (typed, uploaded or from a preset), and what the steps ask for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.calls.models import Call, Question
from grants.calls.questions import LONGEST, QuestionStates
from grants.people.models import Agency, Organisation
from grants.people.permissions import scopes_held, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.problems import Problem

LARGEST = 1_000_000  # bytes of a rules file; far above any real one


def moment_field(label: Any, **more: Any) -> forms.DateTimeField:
    """A moment in Beijing time, typed as the browser offers it; cleans to an aware datetime."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **more)


class RulesText(forms.Form):
    """The rules of a call as TOML text. After cleaning: `rules`, or `problems` with every fault of the text."""

    text = forms.CharField(
        label=_("征集规则"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "class": "govuk-textarea gc-code"}),
        help_text=_("TOML 格式。可以直接修改，也可以下载后用文本编辑器修改再上传。"),
    )
    file = forms.FileField(label=_("或上传规则文件"), required=False, help_text=_("上传后以文件内容为准。"))

    rules: CallRules | None = None
    problems: tuple[Problem, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The text must be there unless a file is handed in."""
        super().__init__(*args, **kwargs)
        if self.files.get(self.add_prefix("file")):
            self.fields["text"].required = False

    def clean(self) -> dict[str, Any]:
        """Read the uploaded file into the text, so that it is there to be corrected, then parse."""
        cleaned = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload:
            self._take(upload)
        self._parse(str(self.cleaned_data.get("text") or ""))
        return self.cleaned_data

    def _take(self, upload: Any) -> None:
        if upload.size > LARGEST:
            self.add_error("file", _("文件太大：规则文件不会超过 1 MB，请检查是否选错文件。"))
            return
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", _("文件不是 UTF-8 文本，请另存为 UTF-8 后再上传。"))
            return
        self.cleaned_data["text"] = text
        typed = QueryDict(mutable=True)
        typed.update(self.data)
        typed[self.add_prefix("text")] = text
        self.data = typed

    def _parse(self, text: str) -> None:
        from grants.calls.rulebook import toml  # noqa: PLC0415 - pydantic is slow to import
        from grants.calls.rulebook.problems import RulesInvalid  # noqa: PLC0415 - as above

        if not text.strip():
            if not {"text", "file"} & set(self.errors):
                self.add_error("text", _("请填写规则，或从样例开始。"))
            return
        try:
            self.rules = toml.loads(text)
        except RulesInvalid as wrong:
            self.problems = wrong.problems
            self.add_error("text", _("规则有 %(n)d 处不合格式，见下表；改正之后再保存。") % {"n": len(wrong.problems)})


class NewCallForm(RulesText):
    """A new call: whose, run by whom, and its rules."""

    agency = forms.ModelChoiceField(label=_("主办方"), queryset=Agency.objects.none())
    operator = forms.ModelChoiceField(
        label=_("承办方"), queryset=Organisation.objects.none(), required=False, help_text=_("已核验的法人单位；没有承办方可不选。")
    )
    field_order = ("agency", "operator", "text", "file")

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        legal = Organisation.objects.filter(state="verified", kind_of_body__in=Organisation.LEGAL_PERSONS).order_by("name")
        self.fields["operator"].queryset = legal  # type: ignore[attr-defined]
        offices = Agency.objects.filter(scopes_with(actor, "draft_calls", Agency, "pk")).order_by("name")
        self.fields["agency"].queryset = offices  # type: ignore[attr-defined]
        if len(offices) == 1:
            self.fields["agency"].initial = offices[0]


class PresetForm(forms.Form):
    """Where to start from, and when the new call shall open."""

    preset = forms.ChoiceField(label=_("样例"), choices=())
    opens_at = moment_field(_("开始受理时间"), required=False, help_text=_("填写后，样例的全部时间随之平移。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from grants.calls.rulebook import presets  # noqa: PLC0415 - as above

        offered = [(name, presets.load(name).title.zh) for name in presets.NAMES]
        self.fields["preset"].choices = offered  # type: ignore[attr-defined]

    def text(self) -> str:
        """The preset's text, moved to the wished opening when one is given (comments are then gone)."""
        from grants.calls.rulebook import presets, schedule, toml  # noqa: PLC0415 - as above

        name, opens_at = self.cleaned_data["preset"], self.cleaned_data.get("opens_at")
        if opens_at is None:
            return presets.text(name)
        return toml.dumps(schedule.shift(presets.load(name), opens_at))


class StartForm(forms.Form):
    """A new call without a file: whose, from what, under which code, opening when."""

    agency = forms.ModelChoiceField(label=_("主办方"), queryset=Agency.objects.none())
    operator = forms.ModelChoiceField(
        label=_("承办方"), queryset=Organisation.objects.none(), required=False, help_text=_("已核验的法人单位；没有承办方可不选。")
    )
    source = forms.ChoiceField(
        label=_("从哪里开始"), choices=(), help_text=_("上一轮的规则带着全部内容复制过来，时间整体平移；样例是五种常见的征集。")
    )
    code = forms.CharField(label=_("新的征集编号"), max_length=40, help_text=_("大写字母、数字和短横，例如 YX-2027-01；每次征集各不相同。"))
    title = forms.CharField(
        label=_("名称"), max_length=200, required=False, help_text=_("不填则沿用原名称，其中的年份换成新的年份。")
    )
    opens_at = moment_field(_("开始受理时间"), help_text=_("北京时间。其余时间保持原来的间隔；截止落在休息日的，顺延到下一个工作日。"))

    rules: CallRules | None = None

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        legal = Organisation.objects.filter(state="verified", kind_of_body__in=Organisation.LEGAL_PERSONS).order_by("name")
        self.fields["operator"].queryset = legal  # type: ignore[attr-defined]
        offices = Agency.objects.filter(scopes_with(actor, "draft_calls", Agency, "pk")).order_by("name")
        self.fields["agency"].queryset = offices  # type: ignore[attr-defined]
        if len(offices) == 1:
            self.fields["agency"].initial = offices[0]
        self.fields["source"].choices = self._sources()  # type: ignore[attr-defined]

    def _sources(self) -> list[tuple[Any, Any]]:
        from grants.calls.rulebook import presets  # noqa: PLC0415 - pydantic is slow to import

        own = Call.objects.filter(scopes_with(self.actor, "draft_calls", Agency, "agency"), rules_version__isnull=False)
        rounds = [(call.code, f"{call.code} {call.title}") for call in own.order_by("-created_at")[:30]]
        samples = [(f"preset:{name}", presets.load(name).title.zh) for name in presets.NAMES]
        groups = [(_("以前的征集（克隆）"), rounds)] if rounds else []
        return [*groups, (_("样例"), samples)]

    def clean(self) -> dict[str, Any]:
        """The new call's rules in `rules`; a code that cannot be one is a fault of the code."""
        cleaned = super().clean() or self.cleaned_data
        if {"source", "code", "opens_at"} <= cleaned.keys():
            self._clone(cleaned)
        return cleaned

    def _clone(self, cleaned: dict[str, Any]) -> None:
        from grants.calls.rulebook import RulesInvalid, schedule  # noqa: PLC0415 - as above
        from grants.clock.calendar import is_workday  # noqa: PLC0415 - only this form needs the calendar

        try:
            self.rules = schedule.clone(
                self.original(cleaned["source"]), code=cleaned["code"].strip().upper(), opens_at=cleaned["opens_at"],
                title=cleaned.get("title") or "", is_workday=is_workday,
            )  # fmt: skip
        except RulesInvalid as wrong:
            for problem in wrong.problems:
                name = "code" if problem.key == "code" else None
                self.add_error(name, _("%(what)s；%(how)s。") % {"what": problem.message, "how": problem.way_out})

    def original(self, source: str) -> CallRules:
        """The rules that the new call starts from."""
        from grants.calls.rulebook import presets  # noqa: PLC0415 - as above

        name = source.removeprefix("preset:")
        return presets.load(name) if name != source else Call.objects.select_related("rules_version").get(code=source).rules


class ExtendForm(StepForm):
    """延长截止."""

    closes_at = moment_field(_("新的截止时间"), help_text=_("北京时间；只能晚于现在的截止时间。"))

    def clean_closes_at(self) -> datetime:
        wished: datetime = self.cleaned_data["closes_at"]
        held = self.obj.closes_at  # type: ignore[attr-defined]
        if held is not None and wished <= held:
            now = held.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M")
            raise forms.ValidationError(_("须晚于现在的截止时间 %(at)s。") % {"at": now})
        return wished


class AmendForm(StepForm):
    """发布补充公告: the draft addendum, as it is."""

    def details(self) -> dict[str, Any]:
        return {"version": self.obj.draft_addendum}  # type: ignore[attr-defined]


class QuestionForm(forms.Form):
    """提问: for which organisation, and what."""

    organisation = forms.ModelChoiceField(
        label=_("以哪个单位的名义"), queryset=Organisation.objects.none(), help_text=_("不公开；主办方在申报截止之后才能看到。")
    )
    text = forms.CharField(
        label=_("问题"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("问题和答复都会公开，请不要写姓名、电话等个人信息，也不要透露本单位的方案。"),
    )  # fmt: skip

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Organisation.objects.filter(scopes_held(actor, Organisation, "pk")).order_by("name")
        self.fields["organisation"].queryset = mine  # type: ignore[attr-defined]
        self.may_ask = bool(mine)
        if len(mine) == 1:
            self.fields["organisation"].initial = mine[0]


class DowntimeForm(forms.Form):
    """登记故障: from, to, on what evidence."""

    started_at = moment_field(_("故障开始"), help_text=_("北京时间。"))
    ended_at = moment_field(_("恢复"), help_text=_("北京时间；恢复之后再登记。"))
    note = forms.CharField(label=_("依据"), max_length=500, help_text=_("例如监控记录、运营商通知。"))


class AnswerForm(StepForm):
    """拟写答复."""

    answer = forms.CharField(
        label=_("答复"), max_length=4000, widget=forms.Textarea(attrs={"rows": 6}), help_text=_("公开后所有人都能看到；请不要写个人信息。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].initial = self.obj.answer  # type: ignore[attr-defined]


class MergeForm(StepForm):
    """合并到另一问题."""

    into = forms.ModelChoiceField(label=_("合并到"), queryset=Question.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held: Any = self.obj
        gone = (QuestionStates.MERGED, QuestionStates.DECLINED)
        others = Question.objects.filter(call_id=held.call_id).exclude(pk=held.pk).exclude(state__in=gone)
        self.fields["into"].queryset = others  # type: ignore[attr-defined]


# `revise` has no form here: the editor page takes it, because rules need a check beside the text.
STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Call, "extend"): ExtendForm,
    (Call, "amend"): AmendForm,
    (Question, "answer_"): AnswerForm,
    (Question, "merge"): MergeForm,
}
