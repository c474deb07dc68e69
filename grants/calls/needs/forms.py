"""Forms of needs: proposing by anybody, and what the officer's steps ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.calls.needs.fields import ServiceField
from grants.calls.needs.models import Need
from grants.people.models import Agency, Organisation
from grants.people.permissions import scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm

TRAP = "website"
"""A box that people do not see and programs fill in."""


def wording_fields() -> dict[str, forms.Field]:
    """What a need says in public, as the proposer and the officer type it."""
    return {
        "title": forms.CharField(label=_("需要什么"), max_length=60, help_text=_("一句话，例如“失能老人上门护理”。")),
        "who": forms.CharField(label=_("谁需要"), max_length=60, help_text=_("一类人，例如“卧床的独居老人”；不要写具体姓名。")),
        "detail": forms.CharField(
            label=_("现在缺什么"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("遇到什么困难，试过什么办法。请不要写姓名、电话、证件号码：这段文字会公开。"),
        ),
        "field": forms.ChoiceField(label=_("服务领域"), choices=[("", _("请选择")), *ServiceField.choices]),
        "street": forms.CharField(label=_("街道（镇）"), max_length=30, help_text=_("例如“望湖街道”；涉及全区的，写“全区”。")),
        "community": forms.CharField(label=_("社区"), max_length=40, required=False),
        "people": forms.IntegerField(
            label=_("大约多少人需要"), min_value=1, max_value=1_000_000,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "govuk-input--width-5"}),
        ),
    }  # fmt: skip


class ProposeForm(forms.Form):
    """提出需求: open to everybody. The last box is a trap for programs."""

    agency = forms.ModelChoiceField(label=_("向谁提出"), queryset=Agency.objects.none(), empty_label=None)
    kind = forms.ChoiceField(label=_("提出人"), choices=Need.Proposer.choices, widget=forms.RadioSelect, initial="resident")
    organisation = forms.ModelChoiceField(label=_("代表哪个单位提出"), queryset=Organisation.objects.none(), required=False)
    name = forms.CharField(label=_("称呼"), max_length=60, required=False, help_text=_("例如“张女士”，便于回访；不公开。"))
    contact = forms.CharField(
        label=_("联系方式"), max_length=100, required=False,
        help_text=_("手机或邮箱，只给核实需求的工作人员看，不公开；办结后可凭查询码删除。"),
    )  # fmt: skip
    website = forms.CharField(required=False, max_length=200, label=_("请留空"))

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= wording_fields()
        self.fields["agency"].queryset = Agency.objects.order_by("pk")  # type: ignore[attr-defined]
        own = Organisation.objects.filter(scopes_with(actor, "write_bids", Organisation, "pk"), state="verified")
        self.fields["organisation"].queryset = own.order_by("name")  # type: ignore[attr-defined]
        if getattr(actor, "pk", None) is None:
            del self.fields["organisation"]
        self.order_fields(["title", "who", "detail", "field", "street", "community", "people", "agency", "kind", "organisation", "name", "contact"])

    def shown(self) -> list[Any]:
        """The fields that people see, in order."""
        return [bound for bound in self.visible_fields() if bound.name != TRAP]

    def is_a_program(self) -> bool:
        """Whether the trap was filled in."""
        return bool(self.data.get(TRAP))

    def details(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in (TRAP, "agency")}


class WordingForm(StepForm):
    """核实: the public wording, as it stands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {**wording_fields(), **self.fields}
        for name in wording_fields():
            self.fields[name].initial = getattr(self.obj, name)


class AnswerForm(StepForm):
    """The sentence that whoever proposed may read."""

    answer = forms.CharField(label=_("答复"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("提出人凭查询码可以看到；请勿写个人信息。"))


class MergeForm(StepForm):
    """Into which other need of the same office."""

    into = forms.ModelChoiceField(label=_("合并到"), queryset=Need.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Need.objects.filter(agency_id=self.obj.agency_id, state__in=("proposed", "checked", "published")).exclude(pk=self.obj.pk)
        same = rows.order_by("street", "field", "number")
        self.fields["into"].queryset = same  # type: ignore[attr-defined]


# `list_` has no form here: the desk of needs takes it together with the call's list (`services.attach`).
STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Need, "check_"): WordingForm,
    (Need, "merge"): MergeForm,
    (Need, "meet"): AnswerForm,
    (Need, "decline"): AnswerForm,
}
