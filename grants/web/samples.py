"""The values that the living style page is filled with: forms, histories, a long list, one chart of every kind."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from grants.documents.writing import yuan
from grants.web.cells import Column
from grants.web.charts import Cell, Chart, bars, dots, flow, line, matrix, stacked
from grants.web.fields import DayField, YuanField
from grants.web.tables import Filters, Table


class Example(forms.Form):
    """One field of every kind."""

    project = forms.CharField(label=_("项目名称"), max_length=60, help_text=_("不超过 60 个字，写清为谁做什么。"))
    amount = YuanField(label=_("申请金额"), help_text=_("不超过本次征集的单项上限。"), max_value=Decimal("150000.00"))
    starts_on = DayField(label=_("开始日期"))
    summary = forms.CharField(label=_("项目摘要"), widget=forms.Textarea(attrs={"rows": 4}), required=False)
    field_of_work = forms.ChoiceField(
        label=_("服务领域"), choices=[("", _("请选择")), ("elder", _("为老")), ("child", _("儿童青少年"))]
    )
    kind = forms.ChoiceField(
        label=_("单位类别"),
        widget=forms.RadioSelect,
        choices=[("ngo", _("社会组织")), ("group", _("备案团队")), ("committee", _("居委会"))],
    )
    groups = forms.MultipleChoiceField(
        label=_("服务对象"),
        widget=forms.CheckboxSelectMultiple,
        choices=[("elder", _("老年人")), ("disabled", _("残障人士")), ("child", _("困境儿童"))],
        help_text=_("可以多选。"),
    )
    certificate = forms.FileField(label=_("登记证书"), help_text=_("PDF 或照片，不超过 20 MB。"))
    promise = forms.BooleanField(label=_("承诺所填内容真实，近三年没有重大违法记录。"))


TIMELINE = [
    {
        "at": dt.datetime(2026, 3, 20, 8, 59, 58, tzinfo=dt.UTC),
        "what": _("提交申报书"),
        "who": _("申报单位签字人"),
        "path": _("草稿 → 已提交"),
    },
    {
        "at": dt.datetime(2026, 3, 25, 2, 30, tzinfo=dt.UTC),
        "what": _("资格审查通过"),
        "who": _("主办方经办"),
        "note": _("年检结论已核对。"),
    },
]
TASKS = [
    {"title": _("单位情况"), "url": "#tasks", "status": _("已完成")},
    {"title": _("项目预算"), "url": "#tasks", "status": _("填写中"), "colour": "light-blue"},
    {"title": _("附件"), "url": "#tasks", "status": _("有问题"), "colour": "red", "hint": _("登记证书已过期")},
    {"title": _("确认并提交"), "status": _("尚不能开始"), "hint": _("先完成以上各项")},
]


PAYMENTS = [
    {
        "number": f"YH-2026-{at:03}",
        "payee": payee,
        "code": f"3201{at:014}",
        "amount": Decimal(30_000 + 1_250 * at),
        "paid_on": dt.date(2026, 4, 1) + dt.timedelta(days=at),
        "state": state,
    }
    for at, (payee, state) in enumerate(
        [(_("阳光社工服务中心"), "paid"), (_("邻里互助会"), "approved"), (_("青苗公益发展中心"), "withheld")] * 20, start=1
    )
]
PAYMENT_STATES = [("approved", _("待付款")), ("paid", _("已付")), ("withheld", _("暂缓拨付"))]


class ByState(Filters):
    """What the example list can be narrowed by."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *PAYMENT_STATES])
    least = YuanField(label=_("金额不低于"))

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        state, least = chosen["state"], chosen["least"]
        return [row for row in rows if state in ("", row["state"]) and (least is None or row["amount"] >= least)]


def example_table(request: HttpRequest) -> Table:
    """The list of the style page: sixty payments to filter, sort, page through and take home."""
    columns = [
        Column(_("付款单"), "number", "code", sort="number", url=lambda row: f"#{row['number']}"),
        Column(_("收款户名"), "payee"),
        Column(_("收款账号"), "code", "code", shown=False),
        Column(_("金额"), "amount", "money", sort="amount"),
        Column(_("付款日期"), "paid_on", "date", sort="paid_on"),
        Column(_("状态"), lambda row: dict(PAYMENT_STATES)[row["state"]], name="state_name", tag="state"),
    ]
    return Table(request, PAYMENTS, columns, name=_("付款单"), filters=ByState, total_of=["amount"])


STATES = [
    ("draft", _("草稿")),
    ("open", _("受理中")),
    ("returned", _("退回补正")),
    ("rejected", _("不予受理")),
    ("closed", _("已结项")),
]

FIELDS = [_("文化体育"), _("为老服务"), _("儿童青少年"), _("医疗"), _("法律援助"), _("临终关怀")]
STREETS = [_("东街道"), _("西街道"), _("南湖街道"), _("北山镇")]
SUPPLY: list[list[int | None]] = [[9, 6, 5, 4], [3, 2, 4, 2], [2, 3, 2, 2], [None] * 4, [None] * 4, [None] * 4]
SOURCES = [_("市级福彩公益金"), _("区级财政"), _("社会捐赠")]
ROUNDS = {"2024": (800_000, 300_000, 20_000), "2025": (900_000, 400_000, 65_000), "2026": (1_200_000, 380_000, 90_000)}


def charts() -> list[Chart]:
    """One chart of every kind, in the active language."""
    supply = [sum(filter(None, counts)) for counts in SUPPLY]
    return [
        bars("chart-bars", gettext("各领域的立项数"), list(zip(FIELDS, supply, strict=True)), heads=(gettext("服务领域"), gettext("立项数")),
             mark=(gettext("平均"), Decimal("7.3")), summary=gettext("51 个项目中有 24 个属于文化体育；医疗、法律援助和临终关怀一个也没有。")),
        stacked("chart-stacked", gettext("各年资金来源"), SOURCES, list(ROUNDS.items()), show=_short, exact=yuan,
                heads=[gettext("年度"), *SOURCES, gettext("合计")], summary=gettext("三年来福彩公益金都占七成左右。")),
        line("chart-line", gettext("申报与立项"), ["2022", "2023", "2024", "2025", "2026"],
             [(gettext("申报"), [40, 46, 52, 60, 71]), (gettext("立项"), [18, 20, None, 24, 24])], head=gettext("年度"),
             summary=gettext("申报逐年增加，立项数没有跟上；2024 年的立项数缺失，线在那里断开。")),
        dots("chart-dots", gettext("评分离散程度"),
             [("TX-001", [Decimal(82), Decimal("85.5"), Decimal(91)]), ("TX-002", [58, 61, 77]), ("TX-003", [70, 70, 71])],
             heads=(gettext("申报书"), gettext("各专家评分"), gettext("平均分")), mark=(gettext("入围线"), 70),
             summary=gettext("TX-002 的三位专家相差 19 分，应当合议。")),
        matrix("chart-matrix", gettext("服务领域与街道"), STREETS,
               [(field, [Cell(n, url="#chart-matrix") for n in counts]) for field, counts in zip(FIELDS, SUPPLY, strict=True)],
               head=gettext("服务领域"), legend=gettext("斜线：没有项目"), summary=gettext("三个领域在四个街道都是空白。")),
        flow("chart-flow", gettext("资金去向"),
             [(gettext("预算"), _parts(ROUNDS["2026"])), (gettext("立项"), _parts((1_100_000, 380_000, 60_000))),
              (gettext("已拨付"), _parts((550_000, 190_000, 0)))],
             show=_short, exact=yuan, heads=(gettext("环节"), gettext("来源"), gettext("金额")), summary=gettext("已拨付的占立项金额的 48%。")),
    ]  # fmt: skip


def _parts(amounts: tuple[int, ...]) -> list[tuple[Any, int]]:
    return list(zip(SOURCES, amounts, strict=True))


def _short(amount: Any) -> str:
    """¥150,000: no fen in a picture; its table has them."""
    return f"¥{amount:,.0f}"
