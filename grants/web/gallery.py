"""The living style page, part by part: each is shown as it looks and as the very template code that made it.

`GALLERY` is the list; a test holds that no partial is missing from it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.template.loader import get_template, render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from grants.web import samples

Words = str | Promise


@dataclass(frozen=True)
class Sample:
    """One part: anchor, heading, what it is for. Its code is the template web/gallery/<key>.html."""

    key: str
    title: Words
    use: Words

    @property
    def code(self) -> str:
        """The template as it was written."""
        return str(get_template(f"web/gallery/{self.key}.html").template.source).strip()  # type: ignore[attr-defined]

    def shown(self, context: dict[str, Any]) -> SafeString:
        return render_to_string(f"web/gallery/{self.key}.html", context)


GALLERY = [
    Sample("states", _("状态"), _("状态用文字说明，颜色只是重复；标签不能点击。")),
    Sample("badges", _("特征"), _("说明类别或特征，不是状态。")),
    Sample("money", _("金额、时间、隐去"), _("个人信息默认隐去；金额不换行。")),
    Sample("identity", _("身份栏"), _("页面上方说明在看谁的材料。")),
    Sample("breadcrumbs", _("当前位置"), _("首页以下每页都有。页面不自己写时，由版式按导航和标题生成。")),
    Sample("side-nav", _("侧边导航"), _("一个工作台里的几个部分。")),
    Sample("sub-nav", _("次级导航"), _("同一对象的几个视图。")),
    Sample("steps", _("阶段条"), _("走到哪一步：完成、正在、未到都有文字。")),
    Sample("tasks", _("任务清单"), _("可以按任意顺序完成；红色只用于问题。")),
    Sample("summary", _("核对清单"), _("提交前逐项核对，没有填的写明。")),
    Sample("timeline", _("经过"), _("谁、以什么身份、在什么时间、做了什么。")),
    Sample("record-mark", _("记录的编号和哈希"), _("记录页的抬头，打印时也在。")),
    Sample("files", _("文件"), _("名称、大小和哈希的开头。")),
    Sample("banner", _("提示横幅"), _("办成了什么，或需要注意什么。")),
    Sample("warning", _("警告"), _("不容易撤回的事。")),
    Sample("inset", _("说明"), _("正文里的一句要紧话。")),
    Sample("details", _("展开说明"), _("多数人不需要的解释。")),
    Sample("accordion", _("折叠段落"), _("很长的材料，不用脚本也能开合。")),
    Sample("tabs", _("标签页"), _("同一问题的几种看法；不用脚本时全部展开。")),
    Sample("errors", _("错误汇总"), _("每条错误链接到要改的那一项。表单出错时自动出现。")),
    Sample("empty", _("空状态"), _("这里会出现什么、什么时候、现在该做什么。")),
    Sample("confirmation", _("办结页"), _("编号、下一步和时间。页面没有别的标题时，它就是一级标题。")),
    Sample("stats", _("数字块"), _("几个关键数字，附说明，可以点进去。")),
    Sample("progress", _("进度"), _("做完多少，有条也有字。")),
    Sample("buttons", _("按钮"), _("说清按下去会怎样；一页一个主按钮。")),
    Sample("pagination", _("翻页"), _("每页 50 行，筛选条件留在网址里。")),
    Sample("table", _("短表"), _("带标题和合计；数字右对齐。")),
    Sample("data", _("长列表"), _("筛选、排序、分页、选列都在网址里；下载的正是筛选后的这些行。见 grants.web.tables。")),
    Sample("charts", _("图表"), _("图在服务器上画成 SVG，不用脚本；花纹和数字与颜色同时区分；每张图下面是同一组数的表。")),
    Sample("another", _("再添加一个"), _("一组里有几个就填几个；不用脚本时由服务器添加。")),
    Sample("form", _("表单"), _("一个 Django 表单就是这样显示的。")),
]


class Member(forms.Form):
    """One row of the add-another example."""

    name = forms.CharField(label=_("姓名"), max_length=60)
    duty = forms.CharField(label=_("分工"), max_length=60, required=False)


@dataclass(frozen=True)
class Stored:
    """A kept file, as `file_link` needs it."""

    size: int
    sha256: str


def context() -> dict[str, Any]:
    """Everything the samples are filled with, but for the form and the list, which depend on the request."""
    digest = "9f2c41d07b8e65a3" * 4
    return {
        "states": samples.STATES, "timeline": samples.TIMELINE, "tasks": samples.TASKS, "charts": samples.charts(),
        "amount": Decimal("150000.00"), "digest": digest, "stored": Stored(182_304, digest), "words": WORDS,
        "facts": [(_("类别"), _("备案团队")), (_("托管组织"), _("青禾街道社会组织联合会"))],
        "trail": [(_("首页"), "/"), (_("征集"), "/calls/"), (_("征集公告"), "#breadcrumbs")],
        "places": [
            {"label": _("申报书"), "url": "#side-nav", "here": True}, {"label": _("预算"), "url": "#side-nav", "note": "12"},
            {"label": _("附件"), "url": "#side-nav"},
        ],
        "steps": [
            {"title": _("投标"), "status": "done", "note": "2026-03-20"}, {"title": _("评审"), "status": "here"},
            {"title": _("立项"), "status": "ahead"}, {"title": _("拨付"), "status": "ahead"},
        ],
        "answers": [
            {"key": _("项目名称"), "value": _("银龄守望"), "change": "#summary"}, {"key": _("配套资金"), "value": ""},
        ],
        "sections": [{"key": "s-need", "title": _("需求"), "text": WORDS["because"], "open": True},
                     {"key": "s-plan", "title": _("方案"), "text": WORDS["days"]}],
        "tabs": [{"key": "t-score", "title": _("评分"), "text": WORDS["days"]}, {"key": "t-notes", "title": _("意见"), "text": WORDS["because"]}],
        "errors": [("#id_amount", _("申请金额：金额不能超过 150000.00 元。"))],
        "stats": [{"value": "51", "label": _("立项"), "note": _("比上一轮多 6 个")}, {"value": "¥2,180,000", "label": _("立项金额")},
                  {"value": "0", "label": _("医疗类项目"), "url": "#charts"}],
        "page": Paginator(range(300), 50).page(2), "heads": [(_("科目"), False), (_("金额"), True)],
        "rows": [[_("活动物料"), "7,000.00"], [_("志愿者保险"), "1,200.00"]], "total": [_("合计"), "8,200.00"],
        "formset": forms.formset_factory(Member, extra=1, max_num=5)(prefix="members"),
        "today": dt.date(2026, 3, 20),
    }  # fmt: skip


WORDS = {
    "recorded": _("备案团队"), "first_time": _("首次申报"), "applicant": _("申报单位"), "org": _("青禾社区邻里互助队"), "desk": _("申报"),
    "views": _("几种看法"), "way": _("办理进度"), "notice": _("请注意"), "correct": _("补正材料须在 5 个工作日内提交。"), "done": _("已办理"),
    "handed_in": _("申报书已提交。"), "hard": _("这一步不容易撤回。"), "days": _("公示期为 5 个工作日。"), "why": _("为什么要填写这一项？"),
    "because": _("评审时据此核对受益人数。"), "nothing": _("还没有收到申报书。受理开始后，提交的申报书会出现在这里。"), "see_calls": _("看看可以申报的征集"),
    "number": _("编号"), "scored": _("已评分"), "save": _("保存并继续"), "later": _("先存草稿"), "take_back": _("撤回"), "budget": _("预算"),
    "member": _("成员"), "example": _("当前位置示例"),
}  # fmt: skip
