"""Forms of review: the ballot, the pledge, the pool, findings, other scores; and one form per step that asks for details."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.models import Organisation, User
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm
from review import forms_draw
from review.ballots import OwnCriterion, own_criteria, plain, shown
from review.conflicts import RelationKind
from review.findings import Moment, kept_when_refused
from review.models import Expert, Panel, Relation, Review, Ruling, ScoreCorrection, Seat
from review.other_scores import components
from review.panels import bids_of


class PointsField(forms.DecimalField):
    """Points with at most two places, as typed with an input method on: １７．５ is 17.5."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(plain(value) if isinstance(value, str) else value)


def _points_box() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "govuk-input--width-4"})


class AskedForm(StepForm):
    """A step before which conflicts are asked: a finding stays although the step it refuses is taken back."""

    moment: ClassVar[str]

    def take(self, verb: str, **details: Any) -> Any:
        found: Any = self.obj
        about = [found] if isinstance(found, Review) else []
        with kept_when_refused(found.panel if about else found, self.moment, *about):
            return super().take(verb, **details)


class AcceptForm(AskedForm):
    """The pledge before the file opens."""

    moment = Moment.OPENING

    pledge = forms.BooleanField(
        required=False,
        label=_(
            "我与申报单位及其负责人没有劳动、任职、控股、亲属或其他可能影响公正的关系（含申报前三年内），承诺独立评审、保守秘密、廉洁自律"
        ),
    )


class SubmitForm(AskedForm):
    """Hand a ballot in without the sheet."""

    moment = Moment.HANDING_IN


class ConcludeForm(AskedForm):
    """Issue the report."""

    moment = Moment.PUBLISHING


class LockForm(StepForm):
    """Lock: what is broken or in conflict is recorded also when it refuses the lock."""

    def take(self, verb: str, **details: Any) -> Any:
        from review.services.scoring import lock  # noqa: PLC0415 - services import the forms' neighbours

        return lock(self.obj, by=self.actor, **details)  # type: ignore[arg-type]


class RecuseForm(StepForm):
    """Step aside: the reason is the note."""


class VoidForm(StepForm):
    """Void: the note is the reason."""

    def details(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["note"]}


class ExplainForm(StepForm):
    """Why this ballot is far from the panel's mean."""

    reason = forms.CharField(label=_("偏差理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


class SignForm(StepForm):
    """Sign, with dissent if there is one."""

    dissent = forms.CharField(
        label=_("不同意见及理由"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("没有不同意见请留空；不写视为同意评审结果（政府采购法实施条例第四十一条）。"),
    )  # fmt: skip


class InviteForm(StepForm):
    """What the invitation says."""

    fee_note = forms.CharField(
        label=_("劳务费说明"), max_length=200, required=False, help_text=_("如：每人每天 500 元，由主办方代扣个人所得税后转账。")
    )
    meets_at = forms.DateTimeField(
        label=_("答辩会时间"), required=False, help_text=_("北京时间，没有答辩会请留空。"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    meets_where = forms.CharField(label=_("答辩会地点"), max_length=100, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("fee_note", "meets_at", "meets_where"):
            self.fields[name].initial = getattr(self.obj, name)


class ReviseForm(StepForm):
    """The second ballot: every criterion anew, beginning from the first, and why it differs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        review: Any = self.obj
        self.criteria = own_criteria(review)
        first, last = review.held(), review.counting()
        del self.fields["note"]
        for c in self.criteria:
            was, now = first.get(c.code), last.get(c.code)
            self.fields[f"mark_{c.code}"] = PointsField(
                label=_("%(name)s（0–%(top)s）") % {"name": c.name, "top": shown(c.top)}, min_value=Decimal(0), max_value=c.top, max_digits=5,
                decimal_places=2, initial=shown(now.value) if now else None, widget=_points_box(),
                help_text=_("第一次 %(mark)s") % {"mark": shown(was.value)} if was else "",
            )  # fmt: skip
            for kind, label, text in (("comment", _("给申报方的意见"), "comment"), ("panel", _("仅评审组可见"), "panel_comment")):
                words = getattr(now, text, "") if now else ""
                self.fields[f"{kind}_{c.code}"] = forms.CharField(
                    label=_("%(name)s：%(what)s") % {"name": c.name, "what": label}, required=False, max_length=1000, initial=words,
                    widget=forms.Textarea(attrs={"rows": 2}),
                )  # fmt: skip
        self.fields["reason"] = forms.CharField(
            label=_("与第一次不同的理由"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("第一次评分原样保留，与这一次一起交给主办方、监督和审计。结果按这一次计算。"),
        )  # fmt: skip

    def details(self) -> dict[str, Any]:
        data = self.cleaned_data
        marks = {c.code: data[f"mark_{c.code}"] for c in self.criteria}
        comments = {c.code: (data[f"comment_{c.code}"], data[f"panel_{c.code}"]) for c in self.criteria}
        return {"marks": marks, "comments": comments, "reason": data["reason"]}


class RulingForm(forms.Form):
    """Uphold or exclude, and why: the minutes."""

    outcome = forms.ChoiceField(label=_("处理"), choices=Ruling.Outcome.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("理由"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("写明评审组的讨论和依据；记入评审记录，审计和申报单位的证据包里看得到处理结果。"),
    )  # fmt: skip


class BidStepForm(StepForm):
    """Base of panel steps that are about one bid of the panel."""

    bid: Any = forms.ModelChoiceField(label=_("申报"), queryset=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = bids_of(self.obj)  # type: ignore[arg-type]
        self.fields["bid"].queryset = self.obj.call.bids.filter(pk__in=[b.pk for b in rows]).order_by("number")  # type: ignore[attr-defined]


class EnterScoreForm(BidStepForm):
    """One other score of one bid."""

    component = forms.ChoiceField(label=_("分项"))
    value = forms.DecimalField(label=_("得分"), max_digits=6, decimal_places=2, min_value=Decimal(0))
    basis = forms.CharField(label=_("依据"), max_length=200, help_text=_("如计票表编号、核查记录编号"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        panel: Any = self.obj
        found = {c.code: f"{c.name}(0–{c.top.normalize():f})" for bid in bids_of(panel) for c in components(panel.rules, bid)}
        self.fields["component"].choices = list(found.items())  # type: ignore[attr-defined]


class CorrectionForm(forms.Form):
    """What an entered score should be instead, on what, and why."""

    value = PointsField(label=_("更正为"), max_digits=6, decimal_places=2, min_value=Decimal(0), widget=_points_box())
    basis = forms.CharField(label=_("新的依据"), max_length=200, help_text=_("如计票表编号、核查记录编号"))
    reason = forms.CharField(
        label=_("更正的理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明原来错在哪里。理由和依据会写进这家申报单位的证据包，请不要写个人信息，也不要提其他申报单位。"),
    )  # fmt: skip


class RefuseCorrectionForm(StepForm):
    """Why an entered score stays as it is."""

    reason = forms.CharField(label=_("不同意的理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["note"]


class SwapForm(forms.Form):
    """Who reviews the bid instead, and why."""

    expert = forms.ModelChoiceField(label=_("接替的专家"), queryset=Expert.objects.none(), help_text=_("评审组现有成员；有利害关系的不能接替"))
    reason = forms.CharField(label=_("理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, review: Review, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        had = Review.objects.filter(panel=review.panel_id, bid=review.bid_id).values("expert_id")
        seats = review.panel.members.filter(alternate=False, excused=False).exclude(expert__in=had)
        field: Any = self.fields["expert"]
        field.queryset = Expert.objects.filter(pk__in=seats.values("expert_id")).order_by("code")
        field.label_from_instance = lambda expert: f"{expert.code} {expert.get_seat_display()}"


class RecommendForm(BidStepForm):
    """The amount the panel recommends for one bid."""

    amount = forms.DecimalField(label=_("建议金额（元）"), max_digits=14, decimal_places=2, min_value=Decimal("0.01"))
    reason = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    **forms_draw.STEP_FORMS,
    (Review, "accept"): AcceptForm,
    (Review, "submit"): SubmitForm,
    (Review, "recuse"): RecuseForm,
    (Review, "void"): VoidForm,
    (Review, "explain"): ExplainForm,
    (Review, "revise"): ReviseForm,
    (Panel, "lock"): LockForm,
    (Panel, "conclude"): ConcludeForm,
    (Panel, "invite"): InviteForm,
    (Panel, "sign"): SignForm,
    (Panel, "enter_score"): EnterScoreForm,
    (Panel, "recommend"): RecommendForm,
    (ScoreCorrection, "refuse"): RefuseCorrectionForm,
}


class BallotForm(forms.Form):
    """The score sheet: points, a comment for the bidder and one for the panel per criterion, and private notes. The service checks too."""

    note = forms.CharField(
        label=_("我的笔记"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("只有您自己看得到，不进入评审记录。"),
    )  # fmt: skip

    def __init__(self, criteria: list[OwnCriterion], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = criteria
        for c in criteria:
            self.fields[f"mark_{c.code}"] = PointsField(
                label=_("得分（0–%(top)s）") % {"top": shown(c.top)}, required=False, min_value=Decimal(0),
                max_value=c.top, max_digits=5, decimal_places=2,
                widget=_points_box(),
            )  # fmt: skip
            self.fields[f"comment_{c.code}"] = _words(_("给申报方的意见"), _("会随结果反馈给申报方，署专家代码。"))
            self.fields[f"panel_{c.code}"] = _words(_("仅评审组可见"), _("拆封后给评审组、主办方和审计看，申报方看不到。"))

    def rows(self) -> list[dict[str, Any]]:
        """(criterion, its three bound fields) in order, for the template."""
        kinds = ("mark", "comment", "panel")
        return [{"criterion": c, **{kind: self[f"{kind}_{c.code}"] for kind in kinds}} for c in self.criteria]

    def marks(self) -> dict[str, Decimal | None]:
        return {c.code: self.cleaned_data.get(f"mark_{c.code}") for c in self.criteria}

    def emptied(self) -> list[str]:
        """Criteria whose box is empty: the page is what counts."""
        return [code for code, mark in self.marks().items() if mark is None]

    def comments(self) -> Mapping[str, tuple[str, str]]:
        data = self.cleaned_data
        return {c.code: (data.get(f"comment_{c.code}", ""), data.get(f"panel_{c.code}", "")) for c in self.criteria}


def _words(label: Any, who_reads_it: Any) -> forms.CharField:
    box = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(label=label, required=False, max_length=1000, widget=box, help_text=who_reads_it)


class ExpertForm(forms.Form):
    """Put a person into the pool. The account is made first, by the agency."""

    username = forms.CharField(label=_("登录名"), max_length=150, help_text=_("专家须先有账号"))
    code = forms.CharField(label=_("专家代码"), max_length=10, help_text=_("评审报告和页面以代码代替姓名"))
    seat = forms.ChoiceField(label=_("席位类别"), choices=Seat.choices)
    employer = forms.CharField(label=_("工作单位"), max_length=100, required=False)
    employer_organisation = forms.ModelChoiceField(
        label=_("工作单位（已登记的）"), required=False, queryset=Organisation.objects.order_by("name"),
        help_text=_("工作单位如是本系统登记的单位，请选择，以便核对回避"),
    )  # fmt: skip
    fields_ = forms.CharField(label=_("服务领域"), required=False, help_text=_("用顿号分开，如：为老服务、助残服务"))
    title = forms.CharField(label=_("职称/资格"), max_length=60, required=False)

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"].strip(), is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("没有这个账号。请先为专家建立账号，或核对登录名。"))
        return user

    def values(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        user, fields = data.pop("username"), split_fields(data.pop("fields_"))
        return {**data, "user": user, "fields": fields}


def split_fields(text: str) -> list[str]:
    """Fields of service as typed, one after the other."""
    words = text.replace("\uff0c", "、").replace(",", "、").split("、")
    return [w.strip() for w in words if w.strip()]


class FieldsForm(forms.Form):
    """What an expert knows: it decides how well they suit a bid."""

    fields_ = forms.CharField(
        label=_("服务领域"), required=False, max_length=300,
        help_text=_("用顿号分开，与征集规则中的领域名称一致，如：为老服务、助残服务。没有填报的按一半契合度计。"),
    )  # fmt: skip


class NamedOrganisation(forms.CharField):
    """A registered organisation by its full name or its code, as typed; nothing is listed and nothing similar is suggested."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value).strip()
        found = Organisation.objects.filter(Q(name=text) | Q(uscc=text.upper())).order_by("pk").first()
        if found is None:
            raise forms.ValidationError(_("没有登记过这个名称或代码的单位，请核对全称；没有登记的单位不会申报，不必登记。"))
        return found


class RelationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A relation of an expert with an organisation."""

    kind = forms.ChoiceField(label=_("关系"), choices=[(k.value, k.zh) for k in RelationKind])

    class Meta:
        model = Relation
        fields: ClassVar[list[str]] = ["organisation", "kind", "since", "until", "source", "evidence"]
        labels: ClassVar[dict[str, Any]] = {"organisation": _("单位")}
        widgets: ClassVar[dict[str, Any]] = {
            "since": forms.DateInput(attrs={"type": "date"}), "until": forms.DateInput(attrs={"type": "date"}),
        }  # fmt: skip

    def __init__(self, *args: Any, own: bool = False, typed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if typed:
            self.fields["organisation"] = NamedOrganisation(
                label=_("单位"),
                max_length=100,
                help_text=_("填写单位全称或统一社会信用代码。您正在参加隐名评审，这里不列出名单。"),
            )
        else:
            self.fields["organisation"].queryset = Organisation.objects.order_by("name")  # type: ignore[attr-defined]
        if own:
            del self.fields["source"]


class ReasonForm(forms.Form):
    """A written reason."""

    reason = forms.CharField(label=_("理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


class WorkbookForm(forms.Form):
    """A filled-in workbook on its way back."""

    file = forms.FileField(label=_("填好的评分表（xlsx）"))


class AssignForm(forms.Form):
    """How many bids one expert takes at most."""

    max_load = forms.IntegerField(
        label=_("每人最多评审份数"), min_value=1, max_value=1000, required=False, help_text=_("不填则不限")
    )
