"""Forms of people and organisations. Each checks what the services check, so that the reason stands beside the field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from grants.documents.files import store
from grants.people import particulars, services
from grants.people.models import Agency, AnnualCheck, CreditRecord, Organisation, Story, User, VaultFile
from grants.people.roles import ROLES
from grants.web.fields import DayField, YuanField
from grants.workflow.machine import Machine
from grants.workflow.pages import StepForm
from grants.workflow.refusals import Invalid, Refusal

PAPERS = ("pdf", "jpg", "png")


def show_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal's sentences on the fields they name, and whatever is left on the form as a whole."""
    problems = refusal.problems if isinstance(refusal, Invalid) else {}
    for name, sentences in problems.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
    if not problems:
        form.add_error(None, str(refusal))


class PaperField(forms.FileField):
    """A scan: PDF, JPG or PNG. Cleans to the StoredFile kept, or None."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, None)
        if not upload:
            return None
        return store(upload, name=upload.name, allowed=PAPERS, max_bytes=settings.MAX_UPLOAD_BYTES)


class AccountForm(forms.Form):
    """注册账号."""

    username = forms.CharField(label=_("用户名"), max_length=150, help_text=_("登录用，可以用手机号或拼音。"))
    name = forms.CharField(label=_("姓名"), max_length=60)
    phone = forms.CharField(label=_("手机"), max_length=20, required=False)
    email = forms.EmailField(label=_("电子邮箱"), required=False, help_text=_("填写后，通知会同时发到邮箱。"))
    password = forms.CharField(
        label=_("密码"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=_("至少 10 位，不能全是数字，不能与用户名或姓名相近。"),
    )
    again = forms.CharField(
        label=_("再输一次密码"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("两次输入的密码不同，请重新输入。"))
        return again

    def create(self) -> User | None:
        """The new account, or None with the reasons put on the fields."""
        values = {name: self.cleaned_data[name] for name in ("username", "name", "phone", "email", "password")}
        try:
            return services.create_person(**values)
        except Invalid as refusal:
            show_refusal(self, refusal)
            return None


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """我的资料."""

    class Meta:
        model = User
        fields = ("name", "phone", "email", "large_type", "high_contrast")
        labels = {"email": _("电子邮箱")}  # noqa: RUF012 - Django's own shape


class ParticularsForm(forms.Form):
    """单位资料: the fields of `particulars`, with the same checks."""

    kind_of_body = forms.ChoiceField(label=_("单位类别"), choices=Organisation.Kind.choices)
    name = forms.CharField(label=_("名称"), max_length=100, help_text=_("与登记证书完全一致。"))
    uscc = forms.CharField(
        label=_("统一社会信用代码"), max_length=40, required=False, help_text=_("18 位；没有登记的团队可不填。")
    )
    uscc_disputed = forms.BooleanField(
        label=_("与证书一致（校验位提示不符时勾选，并上传证书）"), required=False
    )
    record_no = forms.CharField(label=_("备案号"), max_length=60, required=False, help_text=_("没有法人资格的团队填写。"))
    registered_on = DayField(label=_("登记（备案）日期"), required=False)
    registrar = forms.ModelChoiceField(label=_("登记/核验机关"), queryset=Agency.objects.order_by("name"))
    legal_representative = forms.CharField(label=_("法定代表人/负责人"), max_length=60)
    certificate = PaperField(label=_("登记证书扫描件"), required=False, help_text=_("PDF、JPG 或 PNG。"))
    phone = forms.CharField(label=_("联系电话"), max_length=30)
    address = forms.CharField(label=_("地址"), max_length=200)
    district = forms.CharField(label=_("登记（备案）地"), max_length=60, help_text=_("区县或街道，例如：云溪区。"))
    field = forms.CharField(label=_("主要服务领域"), max_length=40, required=False)
    full_time_staff = forms.IntegerField(label=_("专职人员数"), min_value=0, initial=0)
    business_scope = forms.CharField(label=_("业务范围"), required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def clean(self) -> dict[str, Any]:
        """Tidy and check the values given; a certificate that was not uploaded is left as it is."""
        values = {name: v for name, v in self.cleaned_data.items() if name in particulars.IDENTITY + particulars.CONTACT}
        if values.get("certificate") is None:
            values.pop("certificate", None)
        tidied, problems = particulars.clean(values)
        for name, sentences in problems.items():
            if name not in self.errors:
                self.add_error(name, sentences)  # type: ignore[arg-type]
        self.tidied = tidied
        return {**self.cleaned_data, **tidied}


class UpdateForm(StepForm, ParticularsForm):
    """修改资料: starts with what is on file; the registration part is closed once it was verified."""

    def __init__(self, *args: Any, obj: Machine, **kwargs: Any) -> None:
        on_file = {name: getattr(obj, name) for name in particulars.IDENTITY + particulars.CONTACT}
        super().__init__(*args, obj=obj, initial=on_file, **kwargs)
        if obj.state == "verified":
            for name in particulars.IDENTITY:
                del self.fields[name]

    def details(self) -> dict[str, Any]:
        return {"values": self.tidied}


class EvidenceForm(StepForm):
    """A check by a clerk or finance: what was looked at."""

    evidence = forms.CharField(
        label=_("核对依据"), max_length=300, help_text=_("看了什么、在哪里查的、哪一天，例如：登记证书原件；信用中国 2026-03-02 查询。")
    )


class BankForm(StepForm):
    """收款账户."""

    bank = forms.CharField(label=_("开户银行"), max_length=100, help_text=_("全称，精确到支行。"))
    number = forms.CharField(label=_("银行账号"), max_length=60, help_text=_("户名必须是本单位名称，不能用个人账户。"))

    def clean_number(self) -> str:
        digits, problems = particulars.clean_account(self.cleaned_data["number"])
        if problems:
            raise forms.ValidationError(problems)
        return digits


STEP_FORMS: dict[tuple[type[Machine], str], type[StepForm]] = {
    (Organisation, "update"): UpdateForm,
    (Organisation, "verify"): EvidenceForm,
    (Organisation, "set_account"): BankForm,
    (Organisation, "verify_account"): EvidenceForm,
}


class AppointForm(forms.Form):
    """任命: a user by user name, and a role that exists on this kind of scope."""

    username = forms.CharField(label=_("用户名"), max_length=150, help_text=_("请对方先注册账号，再把用户名告诉您。"))
    role = forms.ChoiceField(label=_("角色"))

    def __init__(self, *args: Any, scope_kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role.code, f"{role.name}：{role.may}") for role in ROLES if role.scope == scope_kind]
        self.fields["role"].choices = offered  # type: ignore[attr-defined]

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("没有这个用户名。请核对大小写，或请对方先注册账号。"))
        return user


class AnnualCheckForm(forms.Form):
    """年检结论."""

    year = forms.IntegerField(label=_("年度"), min_value=1990, max_value=2100)
    result = forms.ChoiceField(label=_("结论"), choices=AnnualCheck.Result.choices[:3])
    evidence = PaperField(label=_("结论页扫描件"), required=False)


class ReasonForm(forms.Form):
    """A reason for taking something back."""

    because = forms.CharField(label=_("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class CreditForm(forms.Form):
    """名录记录."""

    kind = forms.ChoiceField(label=_("种类"), choices=CreditRecord.Kind.choices)
    listed_on = DayField(label=_("列入（处罚）日期"))
    removed_on = DayField(label=_("移出日期"), required=False)
    source = forms.CharField(label=_("查询来源"), max_length=200)


class RemovalForm(forms.Form):
    """移出名录."""

    removed_on = DayField(label=_("移出日期"))
    source = forms.CharField(label=_("查询来源"), max_length=200)


class LookupForm(forms.Form):
    """信用查询: nothing new was found."""

    looked_up_on = DayField(label=_("查询日期"))
    source = forms.CharField(label=_("查询来源"), max_length=200, help_text=_("例如：信用中国、中国社会组织政务服务平台。"))
    evidence = PaperField(label=_("查询结果截图"), required=False)


class GradeForm(forms.Form):
    """评估等级."""

    grade = forms.ChoiceField(label=_("等级"), choices=[(f"{n}A", f"{n}A") for n in range(5, 0, -1)])
    valid_from = DayField(label=_("有效期起"))
    valid_to = DayField(label=_("有效期止"))


class SponsorshipForm(forms.Form):
    """托管协议."""

    sponsor = forms.ModelChoiceField(label=_("托管组织"), queryset=Organisation.objects.none())
    scope = forms.CharField(label=_("托管事项"), max_length=200, initial=_("签约、收款、财务监管"))
    liability = forms.CharField(label=_("责任约定"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    valid_from = DayField(label=_("期限起"))
    valid_to = DayField(label=_("期限止"))
    file = PaperField(label=_("协议扫描件"), required=False)

    def __init__(self, *args: Any, group: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        legal = Organisation.objects.filter(state="verified", kind_of_body__in=Organisation.LEGAL_PERSONS)
        self.fields["sponsor"].queryset = legal.exclude(pk=group.pk).order_by("name")  # type: ignore[attr-defined]


class LastDayForm(forms.Form):
    """提前终止托管."""

    last_day = DayField(label=_("最后一天"))


class AgencyForm(forms.Form):
    """主办方."""

    code = forms.CharField(label=_("统一社会信用代码"), max_length=40)
    name = forms.CharField(label=_("名称"), max_length=100)
    short_name = forms.CharField(label=_("简称"), max_length=30)
    address = forms.CharField(label=_("地址"), max_length=200, required=False)
    contact = forms.CharField(label=_("联系电话"), max_length=60, required=False)
    legal_representative = forms.CharField(label=_("负责人"), max_length=60, required=False)


class StoryForm(forms.Form):
    """单位资料: what is carried into new applications."""

    introduction = forms.CharField(
        label=_("单位简介"), required=False, max_length=Story.MOST, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("成立背景、宗旨、服务领域和覆盖人群。会带入申报书的“单位简介”。"),
    )  # fmt: skip
    strengths = forms.CharField(
        label=_("专长与优势"), required=False, max_length=Story.MOST, widget=forms.Textarea(attrs={"rows": 4})
    )
    staff = forms.CharField(
        label=_("人员与志愿者"), required=False, max_length=Story.MOST, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("人数、专业构成和志愿者队伍；请不要写个人联系方式。会带入“志愿者安排”。"),
    )  # fmt: skip


class ProjectRow(forms.Form):
    """One past project. A row without a name and without anything else is not there."""

    name = forms.CharField(label=_("项目名称"), max_length=100, required=False)
    year = forms.IntegerField(label=_("年度"), min_value=1990, max_value=2100, required=False)
    funder = forms.CharField(label=_("资助方"), max_length=100, required=False)
    amount = YuanField(label=_("金额（元）"), required=False)
    result = forms.CharField(label=_("成效"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("name") and any(given.get(each) for each in ("funder", "result", "year", "amount")):
            self.add_error("name", _("请填写项目名称。"))
        return given


class _ProjectRows(forms.BaseFormSet):  # type: ignore[type-arg]
    """Past projects as a table."""

    MORE = 3

    @classmethod
    def with_more_rows(cls, data: Any) -> Any:
        """The data as posted, with three rows more when that was asked for."""
        total = data.get("form-TOTAL_FORMS", "")
        if "more" not in data or not total.isdigit():
            return data
        data = data.copy()
        data["form-TOTAL_FORMS"] = str(int(total) + cls.MORE)
        return data

    def kept(self) -> list[dict[str, Any]]:
        """The rows in which something was written."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("name")]


ProjectRows: Any = forms.formset_factory(ProjectRow, formset=_ProjectRows, extra=2, max_num=20, absolute_max=23)


class VaultForm(forms.Form):
    """One file for the vault."""

    kind = forms.ChoiceField(label=_("种类"), choices=VaultFile.Kind.choices)
    file = forms.FileField(label=_("文件"), max_length=150, help_text=_("PDF、JPG、PNG、Word 或 Excel。"))
    expires_on = DayField(label=_("有效期截止日"), required=False, help_text=_("填写后，到期前 30 天和 7 天会提醒。没有有效期的不填。"))
