"""Two agreements to print: an ordinary two-party one, and a three-party one with everything long and rare."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from grants.documents.contract_data import (
    BidSection,
    BudgetItem,
    ContractData,
    ContractTerms,
    FundingShare,
    KpiTerm,
    Party,
    PayeeAccount,
    PlanStep,
    TrancheTerm,
)

FUNDER = Party(
    name="江口市临江区民政局",
    code="11320199MB0A12345X",
    address="江口市临江区人民路1号",
    representative="王建国",
    contact="陈静",
    phone="025-00000001",
)
HUB = Party(
    name="江口市临江区社会组织促进会",
    code="51320199MJ0000001A",
    address="江口市临江区惠民街8号",
    representative="刘畅",
    contact="刘畅",
    phone="025-00000002",
)
BASIS = ("《江口市公益创投项目管理办法》", "《彩票管理条例》")


def ordinary() -> ContractData:
    """Two parties, ¥107,000.53, three tranches, lottery money, match."""
    return ContractData(
        number="临民创投〔2026〕12号",
        version=1,
        project="银龄守护：独居老人居家安全改造",
        programme="临江区第五届公益创投",
        call_number="LJ-2026-01",
        funder=FUNDER,
        grantee=Party(
            name="江口市临江区晚晴社会工作服务中心",
            code="52320199MJ0000002B",
            address="江口市临江区和平路66号2楼",
            representative="张敏",
            contact="李想",
            phone="025-00000003",
        ),
        executor=None,
        operator=HUB,
        starts_on=dt.date(2026, 7, 1),
        ends_on=dt.date(2027, 6, 30),
        place="临江区和平街道、惠民街道共六个社区",
        goal="为 120 户独居老人完成居家安全评估与适老化小改造，建立邻里互助联络网，使居家跌倒等意外事件较上年减少三成。",
        beneficiaries="独居老人 120 人（直接），家属和邻里志愿者 300 人次（间接）。",
        head="李想",
        asked=Decimal("118000.00"),
        amount=Decimal("107000.53"),
        match=Decimal("30000.00"),
        sources=(
            FundingShare(
                "市级福利彩票公益金",
                Decimal("80000.00"),
                is_lottery=True,
                logo_text="彩票公益金资助—中国福利彩票",
                purposes="扶老、助残、救孤、济困",
            ),
            FundingShare("区级社会组织发展专项资金", Decimal("27000.53")),
        ),
        tranches=(
            TrancheTerm(1, Decimal(50), Decimal("53500.26"), ("协议生效", "收款账户已核验", "信用复查无异常"), 15),
            TrancheTerm(2, Decimal(40), Decimal("42800.21"), ("中期评估合格", "首期资金支出比例不低于 70%"), 15),
            TrancheTerm(3, Decimal(10), Decimal("10700.06"), ("末期评估合格", "审计验收通过", "结余已核定"), 20),
        ),
        account=PayeeAccount(
            "江口市临江区晚晴社会工作服务中心", "示例银行临江支行", "****************8842", dt.date(2026, 6, 12)
        ),
        budget=(
            BudgetItem(
                "业务活动费", "适老化改造材料", "120 户 × 500 元", Decimal("60000.00"), Decimal("58000.53"), Decimal("20000.00")
            ),
            BudgetItem(
                "人员劳务", "专职社工 1 名", "12 月 × 3,000 元", Decimal("36000.00"), Decimal("32000.00"), Decimal("10000.00")
            ),
            BudgetItem("保险", "志愿者及服务对象意外险", "200 人 × 35 元", Decimal("7000.00"), Decimal("7000.00")),
            BudgetItem("管理费", "水电通讯", "按不超过 10%", Decimal("15000.00"), Decimal("10000.00")),
        ),
        kpis=(
            KpiTerm("完成居家安全评估", "120 户", "评估表、入户照片", "0"),
            KpiTerm("完成小改造", "不少于 100 户", "验收单、前后对比照片", "0"),
            KpiTerm("服务对象满意度", "≥ 90%", "第三方问卷"),
        ),
        plan=(
            PlanStep("2026年7月—8月", "需求走访与建档", "120 户评估报告", "李想"),
            PlanStep("2026年9月—2027年3月", "分批实施改造", "100 户验收单", "周宁、志愿者队"),
            PlanStep("2027年4月—6月", "回访与总结", "满意度报告、总结报告"),
        ),
        sections=(
            BidSection(
                "需求分析",
                (("问题是什么", "辖区 80 岁以上独居老人 1,240 人，去年发生居家跌倒 96 起。\n走访发现卫生间无扶手的占七成。"),),
            ),
            BidSection(
                "实施方法",
                (("怎样做", "社工评估、工匠志愿者施工、邻里每周探访。"), ("风险与预案", "施工期间投保意外险，备用施工队一支。")),
            ),
        ),
        terms=ContractTerms(legal_basis=BASIS),
        bid_sha256="3f" * 32,
        rules_sha256="a9" * 32,
        drawn_on=dt.date(2026, 6, 15),
    )


def extreme() -> ContractData:
    """Three parties, names of 60 characters with rare ones, an unbroken Latin word, 30 budget lines, emoji, venue and arbitration."""
    data = ordinary()
    sponsor = "江口市临江区和平街道社区社会组织联合发展与志愿服务支持促进中心（社会服务机构）江北分中心枢纽型平台组织"
    return ContractData(
        number="临民创投〔2026〕113号",
        version=2,
        project="“邻里圆桌·𬭎声永续”楼道微更新与多元共治能力提升暨困境儿童课后陪伴综合服务三年行动示范项目（第二期）",
        programme=data.programme,
        call_number=data.call_number,
        funder=FUNDER,
        grantee=Party(
            name=sponsor,
            code="52320199MJ0000009C",
            address="江口市临江区和平路88号",
            representative="䶮㛃",
            contact="欧阳喆",
            phone="025-00000009",
        ),
        executor=Party(
            name="和平街道望江社区“犇牛”楼道议事志愿服务队",
            recorded_as="和平街备字2024第017号",
            representative="𬀩堃",
            contact="欧阳喆",
        ),
        operator=HUB,
        starts_on=data.starts_on,
        ends_on=data.ends_on,
        place="望江社区 SupercalifragilisticexpialidociousSupercalifragilisticexpialidociousSupercalifragilistic 活动室",
        goal=data.goal * 6,
        beneficiaries=data.beneficiaries,
        head="䶮㛃",
        asked=Decimal("30000.00"),
        amount=Decimal("30000.00"),
        match=Decimal("0.00"),
        sources=(FundingShare("社区发展基金会自治金", Decimal("30000.00")),),
        tranches=(TrancheTerm(1, Decimal(100), Decimal("30000.00"), ("协议生效", "依托协议在有效期内", "票据已开具"), 10),),
        account=PayeeAccount(sponsor, "示例银行望江支行", "****************0017", dt.date(2026, 6, 12)),
        budget=tuple(
            BudgetItem(
                f"业务活动费{n:02d}",
                f"第 {n} 次楼道议事活动物资与茶水，含场地布置" * 2,
                "10 次 × 100 元",
                Decimal("1000.00"),
                Decimal("1000.00"),
            )
            for n in range(1, 31)
        ),
        kpis=data.kpis * 8,
        plan=data.plan * 8,
        sections=(BidSection("团队口号😀", (("一句话", "守望相助👨‍👩‍👧，邻里同心。"), ("长文", "居民议事。" * 600))),),
        terms=ContractTerms(
            legal_basis=BASIS,
            definitions=(("议事会", "由楼道居民推选代表组成的协商组织"),),
            in_kind=("望江社区活动室每周六全天免费使用", "投影仪一台"),
            dispute="arbitration",
            tribunal="江口仲裁委员会",
            extra=(("党建引领", "项目实施接受社区党组织的指导，重大事项事先沟通。"),),
        ),
        bid_sha256="5b" * 32,
        rules_sha256="a9" * 32,
        drawn_on=data.drawn_on,
    )
