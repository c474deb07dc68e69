"""One example of every other sheet: template → context."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from grants.documents.qr import qr_code

BEIJING = ZoneInfo("Asia/Shanghai")
DIGEST = "5c" * 32
SHEETS: dict[str, dict[str, Any]] = {
    "documents/notice.html": {
        "number": "临民公示〔2026〕3号",
        "title": "关于临江区第五届公益创投拟立项项目的公示",
        "issuer": "江口市临江区民政局",
        "intro": "根据征集公告（LJ-2026-01）规定的程序，经资格审查、专家评审和局长办公会研究，拟对下列项目予以立项资助，现予公示。",
        "columns": ["项目名称", "申报单位", "拟资助金额（元）"],
        "rows": [
            ["银龄守护：独居老人居家安全改造", "江口市临江区晚晴社会工作服务中心", "107,000.53"],
            ["安宁陪伴：居家安宁疗护志愿支持", "江口市临江区安和社会服务中心", "96,500.00"],
        ],
        "total": Decimal("203500.53"),
        "opens_on": dt.date(2026, 5, 20),
        "closes_on": dt.date(2026, 5, 26),
        "days_text": "5 个工作日",
        "how_to_object": "任何单位和个人如有异议，请在公示期内以书面形式实名提出并附依据。",
        "contacts": [("受理部门", "江口市临江区民政局社会组织管理科"), ("联系电话", "025-00000001")],
        "digest": DIGEST,
    },
    "documents/receipt.html": {
        "leaf": "7b" * 32,
        "event_id": "0b7a51a4-3f0e-4b3f-9a63-6f2f6c1f6f0d",
        "key": "gongchuang/receipts+1c9f1a2b+ATx7",
        "qr": qr_code("https://example.org/receipts/#0b7a51a4", label="查验回执"),
        "number": "HZ-LJ-2026-01-0012",
        "call": "临江区第五届公益创投征集公告",
        "call_number": "LJ-2026-01",
        "organisation": "江口市临江区晚晴社会工作服务中心",
        "project": "银龄守护：独居老人居家安全改造",
        "amount": Decimal("118000.00"),
        "submitted_at": dt.datetime(2026, 3, 20, 16, 59, 58, tzinfo=BEIJING),
        "closes_at": dt.datetime(2026, 3, 20, 17, 0, tzinfo=BEIJING),
        "submitted_by": "李想",
        "rules_version": 2,
        "files": [("登记证书.pdf", 1_234_567, "ab" * 32), ("需求调查报告（含问卷与统计）.docx", 88_000, "cd" * 32)],
        "seal_sha256": "3f" * 32,
        "issuer": "江口市临江区民政局",
        "next_steps": ["3月27日前完成资格审查，需要补正的另行通知。", "4月10日起专家评审。"],
        "digest": DIGEST,
    },
    "documents/panel_report.html": {
        "number": "LJ-2026-01-PS01",
        "call": "临江区第五届公益创投",
        "call_number": "LJ-2026-01",
        "panel": "第一评审组",
        "method": [
            "评分表百分制，去掉一个最高分和一个最低分后取平均，保留两位小数。",
            "及格线 60 分；同分的，以“服务需求”得分高者为先。",
        ],
        "held_on": "2026年4月12日",
        "place": "区社会组织服务中心三楼会议室",
        "ranking": [
            (1, "银龄守护：独居老人居家安全改造", "江口市临江区晚晴社会工作服务中心", "88.67", Decimal("107000.53"), "建议立项"),
            (2, "社区合唱团", "江口市临江区和声艺术团", "58.33", None, "未达标"),
        ],
        "members": [("周评一", "组长", ""), ("吴评二", "成员", ""), ("郑评三", "成员", "对第 2 名持保留意见")],
        "recusals": ["孙评四与第 1 号申报单位三年内存在劳动关系，已回避并更换。"],
        "dissents": [("郑评三", "第 2 名的需求调查样本不足，\n建议补充后再评。")],
        "observer": "钱监督",
        "issuer": "江口市临江区社会组织促进会",
        "digest": DIGEST,
    },
    "documents/payment_batch.html": {
        "number": "FK-2026-0007",
        "payer": "江口市临江区民政局",
        "fund": "市级福利彩票公益金",
        "orders": [
            (
                "FK-2026-0007-01",
                "江口市临江区晚晴社会工作服务中心",
                "示例银行临江支行",
                "****************8842",
                "首期资助款",
                Decimal("53500.26"),
            ),
            (
                "FK-2026-0007-02",
                "江口市临江区安和社会服务中心",
                "示例银行临江支行",
                "****************1120",
                "首期资助款",
                Decimal("48250.00"),
            ),
        ],
        "total": Decimal("101750.26"),
        "requested_by": "陈静",
        "checked_by": "赵核",
        "approved_by": "王建国",
        "digest": DIGEST,
    },
}
