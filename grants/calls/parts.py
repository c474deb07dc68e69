"""The parts of the call editor in a clerk's words: titles and one sentence each, in the order of `rulebook.editing.parts`."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from grants.workflow.refusals import Sentence

_WORDS: Final[tuple[tuple[str, Sentence, Sentence], ...]] = (
    ("basics", _("基本信息与法律依据"), _("编号、名称、主办与承办、法律依据、须知。")),
    ("timetable", _("时间安排"), _("受理、提问、补正、评审、公示、异议、签约、实施；一律为北京时间。")),
    ("money", _("资金、来源与分领域额度"), _("资金池怎样组成，每一笔钱从哪里来，各领域、各赛道多少，每个项目最多多少。")),
    ("applicants", _("谁可以申报"), _("主体类型、登记年限、年检、信用、人员、挂靠与联合申报。")),
    ("needs", _("需求与实物支持"), _("需求指引表，场地、导师、设备。")),
    ("forms", _("申报书与报告"), _("申报书、中期报告、末期报告、结项表的各部分和问题。")),
    ("budget", _("预算类别与上限"), _("可以列支什么、各占多少、什么不得列支。")),
    ("attachments", _("附件"), _("要交哪些文件，谁交，何时交，谁能看。")),
    ("outcomes", _("成效指标与承诺"), _("项目要承诺和统计什么，签署人要承诺什么。")),
    ("sheets", _("评分表"), _("指标、权重、每一档是什么样子。")),
    ("review", _("评审小组与计分"), _("评审环节、小组人数、去掉极值、及格线、总分构成。")),
    ("award", _("立项、同分与协议"), _("钱怎样分，同分怎么办，协议怎样签。")),
    ("funding", _("拨款分期与条件"), _("分几期、各多少、满足什么条件才付、变更与结余。")),
    ("evaluation", _("评估表与等级"), _("中期和末期怎样评，得几分是什么等级，有什么后果。")),
    ("closing", _("结项与档案保管"), _("结项要哪些材料，档案保管多久。")),
)
TITLES: Final = {code: title for code, title, _sentence in _WORDS}
EXPLAINED: Final = {code: sentence for code, _title, sentence in _WORDS}
