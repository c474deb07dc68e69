"""The sentences that this package builds from pieces, as patterns: for pages in another language than the rules'. A test holds them to the code."""

from __future__ import annotations

from typing import Final

from grants.sentences import marked as _
from grants.sentences import pgettext

ELIGIBILITY: Final = (
    _("%(sentence)s（经办已核验凭证）"), _("%(sentence)s（待经办核验凭证）"), _("由经办人员核对凭证后记录结论"),
    _("申报主体为%(kind)s，本征集接纳：%(admitted)s"),
    _("由符合条件的单位申报，或联合其申报"), _("非法人主体由挂靠单位签约"), _("申报单位须为独立法人"), _("先登记，或由登记单位申报"), _("一家登记的枢纽组织"),
    _("%(kind)s须由%(sponsor)s挂靠，且挂靠协议在有效期内"), _("与%(sponsor)s签订挂靠协议并上传"), _("登记须满 %(months)s 个月，登记日期 %(day)s"), _("未填写"),
    _("登记满期后再申报，或补填登记日期"), _("最近 %(years)s 年年检须为%(results)s，现为 %(given)s"), _("尚无年检"), _("补交年检结论；未通过的须整改后再申报"),
    _("社会组织评估等级须达 %(grade)sA，现为 %(given)s"), _("取得相应等级后再申报"), _("近 %(years)s 年内不得有%(record)s，查询日期 %(day)s"), _("尚未查询"),
    _("活动异常名录"), _("严重违法失信名单"), _("重大违法记录"), _("移出名单满期后再申报"), _("由经办重新查询；查询结果 %(days)s 天内有效"),
    _("专职人员不少于 %(least)s 人，填报 %(given)s"), _("补充专职人员与社保证明"),
    _("项目须有%(titles)s不少于 %(least)s 人、督导不少于 %(supervisors)s 人，填报 %(given)s 人、%(there)s 人"), _("补充持证人员和督导的姓名与证书"),
    _("团队成年成员不少于 %(least)s 人，填报 %(given)s"), _("补充成年成员后再申报"), _("须在%(district)s登记或备案，现为 %(given)s"),
    _("与当地单位合作，由其申报"),
    _("本征集最多 %(most)s 家联合申报，现为 %(n)s 家"), _("本征集不接受联合申报，现为 %(n)s 家"), _("减少成员或单独申报"),
    _("每家最多申报 %(most)s 个项目，已有 %(n)s 个"), _("撤回另一份申报后再提交"), _("每家最多立项 %(most)s 个，已立项 %(n)s 个"), _("本次不再立项"),
    _("被限制申报至 %(day)s"), _("限制期满后再申报"), _("近 %(years)s 年履约不良记录：%(record)s"), _("无"), _("%(year)s 年被终止"), _("回溯期满后再申报"),
    _("上一年度获资助者本年度不得申报"), _("下一年度再申报"), _("项目须符合章程载明的业务范围"), _("调整项目内容或变更章程"),
    _("同一项目不得已获其他财政或公益资金资助"), _("申报不同的项目或内容"),
    _("承办、评估、审计本征集的单位及其关联单位不得申报（政府采购法实施条例第十八条）"), _("回避本征集"),
)  # fmt: skip

FORM: Final = (
    _("表单没有“%(name)s”这一部分，请刷新页面后重填"), _("这一部分的内容无法识别，请刷新页面后重填"), _("这一部分没有“%(name)s”这个问题"),
    _("请填写“%(name)s”"),
    _("“%(name)s”应为文字"), _("“%(name)s”超过 %(most)s 个字符，请改为附件上传"), _("“%(name)s”限 %(most)s 字，现为 %(n)s 字，请删减 %(over)s 字"),
    _("“%(name)s”应为数字：%(why)s"), _("“%(name)s”应为金额：%(why)s"), _("“%(name)s”超出可记账的范围"), _("“%(name)s”不能为负数"),
    _("“%(name)s”不能小于 %(least)s"),
    _("“%(name)s”不能大于 %(most)s"), _("“%(name)s”应为日期，例如 2026-03-30"), _("“%(name)s”请从下列选项中选择：%(choices)s"), _("“%(name)s”应为多选"),
    _("“%(name)s”没有选项“%(choice)s”"), _("“%(name)s”重复选择了同一选项"), _("“%(name)s”请选择是或否"), _("“%(name)s”请上传文件"), _("“%(name)s”应为表格"),
    _("“%(name)s”最多 %(most)s 行，现为 %(n)s 行，请合并同类项"), _("“%(name)s”至少填写 %(least)s 行，现为 %(n)s 行"), _("第 %(row)s 行没有“%(name)s”这一列"),
    _("第 %(row)s 行%(message)s"),
)  # fmt: skip

CHANGES: Final = (
    _("%(what)s 被删除"), _("%(what)s 新增"), _("%(what)s 已改变"), _("%(what)s 新增：%(value)s"), _("%(what)s（原为 %(value)s）被删除"),
    _("%(what)s 由 %(old)s 改为 %(new)s"), _("%(what)s 的次序由 %(old)s 改为 %(new)s"),
)  # fmt: skip


REHEARSAL: Final = (
    _("申请 %(ask)s，高于单个项目上限 %(cap)s"), _("申请 %(ask)s，低于单个项目下限 %(floor)s"), _("配套 %(match)s，不足项目预算的 %(share)s"),
)  # fmt: skip


DURATIONS: Final = (
    _("%(n)s 个工作日"), _("%(n)s 个自然日"), _("%(n)s 个工作日（含首日）"), _("%(n)s 个自然日（含首日）"),
)  # fmt: skip

TERMS: Final = (
    pgettext("rules", "工作日"), pgettext("rules", "自然日"), pgettext("rules", "政府购买服务"), pgettext("rules", "资助"),
    pgettext("rules", "以奖代补"), pgettext("rules", "基金会资助"), pgettext("rules", "混合"), pgettext("rules", "按名次足额资助"),
    pgettext("rules", "按评分档定额资助"), pgettext("rules", "按评审建议核减"), pgettext("rules", "跳过，继续下一名"), pgettext("rules", "到此为止"),
    pgettext("rules", "两方"), pgettext("rules", "三方"), pgettext("rules", "资金来源标识"), pgettext("rules", "人员与志愿者保险"),
    pgettext("rules", "未成年人保护"), pgettext("rules", "敏感个人信息"), pgettext("rules", "冠名与认购"), pgettext("rules", "挂靠与代管账户"),
    pgettext("rules", "联合体分工"), pgettext("rules", "参加培训与督导"), pgettext("rules", "成果与知识产权"), pgettext("rules", "系统核验"),
    pgettext("rules", "经办凭证核验"), pgettext("rules", "不作限制"), pgettext("rules", "上一年度获资助者不得申报"),
    pgettext("rules", "同等条件下优先"), pgettext("rules", "拨付下期"), pgettext("rules", "通报表扬"), pgettext("rules", "下年度同等条件优先"),
    pgettext("rules", "限期整改"), pgettext("rules", "暂缓拨付"), pgettext("rules", "终止项目"), pgettext("rules", "追回资金"),
    pgettext("rules", "公开通报"), pgettext("rules", "限制申报"), pgettext("rules", "单行文字"), pgettext("rules", "多行文字"),
    pgettext("rules", "数字"), pgettext("rules", "金额（元）"), pgettext("rules", "日期"), pgettext("rules", "单选"), pgettext("rules", "多选"),
    pgettext("rules", "是否"), pgettext("rules", "表格"), pgettext("rules", "附件"), pgettext("rules", "受益人数"), pgettext("rules", "受益人次"),
    pgettext("rules", "服务场次"), pgettext("rules", "服务小时"), pgettext("rules", "受益户数"), pgettext("rules", "百分比"),
    pgettext("rules", "件数"), pgettext("rules", "主办方"), pgettext("rules", "主办方与评审专家"), pgettext("rules", "公开"),
    pgettext("rules", "申报"), pgettext("rules", "签约"), pgettext("rules", "中期"), pgettext("rules", "结项"), pgettext("rules", "PDF"),
    pgettext("rules", "JPEG 图片"), pgettext("rules", "PNG 图片"), pgettext("rules", "Word 文档"), pgettext("rules", "Excel 表格"),
    pgettext("rules", "协议已生效"), pgettext("rules", "收款账户已核验"), pgettext("rules", "资格与信用已复核"), pgettext("rules", "已上传票据"),
    pgettext("rules", "配套资金已到位"), pgettext("rules", "已提交标识佐证"), pgettext("rules", "中期评估合格"),
    pgettext("rules", "已拨资金支出比例达标"), pgettext("rules", "支出凭证已齐"), pgettext("rules", "整改已完成"), pgettext("rules", "末期评估合格"),
    pgettext("rules", "审计报告已出具"), pgettext("rules", "结余已结清"), pgettext("rules", "档案已齐全"), pgettext("rules", "增值税发票"),
    pgettext("rules", "公益事业捐赠票据"), pgettext("rules", "资金往来结算票据"), pgettext("rules", "挂靠单位票据"),
    pgettext("rules", "福利彩票公益金"), pgettext("rules", "财政资金"), pgettext("rules", "企业认购"), pgettext("rules", "网络众筹"),
    pgettext("rules", "配套资金"), pgettext("rules", "场地与实物支持"), pgettext("rules", "结转下年使用"), pgettext("rules", "收回财政或出资方"),
    pgettext("rules", "调剂给其他领域"), pgettext("rules", "只结转下一年度同一征集"), pgettext("rules", "不调剂，退回资金池"),
    pgettext("rules", "社会团体"), pgettext("rules", "民办非企业单位（社会服务机构）"), pgettext("rules", "基金会"),
    pgettext("rules", "备案类社区社会组织"), pgettext("rules", "居委会"), pgettext("rules", "居民团队"), pgettext("rules", "事业单位/高校"),
    pgettext("rules", "企业"), pgettext("rules", "书面评审"), pgettext("rules", "路演答辩"), pgettext("rules", "评审专家"),
    pgettext("rules", "财务专家"), pgettext("rules", "行业专家"), pgettext("rules", "居民代表"), pgettext("rules", "秘书处（客观项）"),
    pgettext("rules", "指定指标得分高者优先"), pgettext("rules", "申请金额低者优先"), pgettext("rules", "评审组长投票"),
    pgettext("rules", "公开抽签"), pgettext("rules", "多数席位达到共同下限"), pgettext("rules", "全部席位达到共同下限"),
    pgettext("rules", "不设下限"), pgettext("rules", "去极值平均分"), pgettext("rules", "扣除专家宽严后的去极值平均分"),
    pgettext("rules", "简易（先公布，再按公共随机源抽取）"), pgettext("rules", "多方承诺（三方以上，加公共随机源）"), pgettext("rules", "评分锁定"),
    pgettext("rules", "出具评审报告"), pgettext("rules", "自由申报"), pgettext("rules", "只接受需求指引表内的项目"), pgettext("rules", "场地"),
    pgettext("rules", "导师"), pgettext("rules", "设备"), pgettext("rules", "不密封"), pgettext("rules", "密封至开标"),
)  # fmt: skip
"""Every word of a choice in the rules (`.zh`); `term` of the templates tells them in English."""


def patterns() -> tuple[str, ...]:
    """All of them."""
    return (*ELIGIBILITY, *FORM, *CHANGES, *REHEARSAL, *DURATIONS)
