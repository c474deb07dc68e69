"""阅读指南: what lies in the package, how to check it, what that proves and what it does not. Chinese; for whoever opens it in ten years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grants.calls.models import Call

if TYPE_CHECKING:
    from grants.audit.parts import Wish

TEXT = """# 审计资料包 阅读指南

{code} {title}
主办方：{agency}

## 一、怎样核对

把压缩包解压到一个空文件夹，在里面运行（Python 3.8 以上，不联网，不装任何东西）：

    python3 -S -E verify.py

返回 0 表示检查过的都成立；1 表示有不成立的，并写出第一个有问题的文件；2 表示没法检查。

资料包自己不能证明自己：改动的人可以把清单一起重写。请把下列外部保存的东西一并给它：

    python3 -S -E verify.py --package 资料包编号 --key 公钥文件或公钥行 --pin 大小:根 --receipt 回执.json

- 资料包编号：生成时写入台账并显示在下载页，主办方和审计都看得到；
- 公钥：主办方公布的一行文字；
- 大小:根：公告栏上的每日根、会议纪要里抄下的根；
- 回执：申报单位手里的回执文件。

程序最后会列出“查不出来的”，请一并阅读。

## 二、里面有什么

| 位置 | 内容 |
| --- | --- |
| data/tables/ | 征集、立项、申报、资格审查、抽取、决定、协议、拨款、付款单、票据、支出、评估、异议、回避核查（只有代码、时点、处理和角色，没有姓名和理由）、统一录入的分数和更正{ballots}；每张表有 CSV 和 XLSX，末行是行数与合计；index.json 写明各列。“对象”一列是台账里的名称 |
| data/ocds/、data/360/ | 已公开部分的开放数据：OCDS 1.1 发布包和记录包、360Giving |
| data/rules/ | 公布的征集规则，一字不差；文件的哈希就是台账里的规则哈希 |
| data/bids/ | 提交的申报书，每次提交一份{bids} |
| data/sealing/ | 密封投标的征集才有：密钥的公开记录、每份投标头、开标记录；含个人信息的资料包另有密文和密钥分份，够数的开标人可以当着审计重新打开 |
| data/review/、data/draws/、data/assignment/ | 评分的承诺值{opened}、{trial}抽取前公布的内容（没有抽成的也在）和抽取记录、分派专家的输入与结果 |
| data/contracts/、data/notices/、data/reports/ | 协议、公示、评审报告 |
| data/evidence/ | 执行材料清单{evidence} |
| data/log/ | 本次征集的台账条目（逐字节）、整本台账每一条的哈希、全部签名检查点、公钥 |
| manifest-sha256.txt 等 | BagIt 1.0（RFC 8493）清单，任何 BagIt 工具都能读 |

{sample}## 三、个人信息

{personal}

## 四、证明了什么，没有证明什么

- 台账：从每一条的哈希重算整棵树，与每个检查点的签名核对；本征集的条目在其序号上与哈希一致。别的征集的条目只有哈希，看不到内容。
- 表格：行数、合计、CSV 与 XLSX 一致；立项金额、状态、已付款、银行流水、申报版本、协议文本、回避核查的每条情形和处理与台账逐行核对；台账有而表格没有的也会指出。
- 评分：公开的分数与当时封存的承诺值核对（仅审计的资料包）。
- 抽取：记录与台账里的哈希一致；要重新抽一遍，用网站“公开抽取”页或 manage.py draw verify。
- 没有证明：写入台账时就不真实的内容；从未写入的事情；掌握台账私钥的人整本重写（须与外部保存的根、回执比对）；
  没有列入台账的文字（例如项目名称）被连同清单一起改写（须与资料包编号比对）；出具的人有意漏掉的本征集条目，如果没有任何表格行提到它
  （须与 manage.py ledger export 导出的整本台账比对）。

## In English

The whole record of one call, able to check itself. Unpack it into an empty folder and run `python3 -S -E verify.py` there (Python 3.8 or newer; no network, nothing to install). \
It ends with 0 when everything it checked holds, 1 when something does not (the first line names the file), 2 when it could not check. Give it what you hold from elsewhere, \
for a package cannot vouch for itself: the package's number, the public key, a printed root, a bidder's receipt:

    python3 -S -E verify.py --package NUMBER --key KEYS --pin SIZE:ROOT --receipt RECEIPT.json

`data/tables/` holds the tables, `data/ocds/` and `data/360/` the open data, `data/log/` the call's entries of the log and the hashes of all others. The last lines of the \
program list what it could not have noticed: read them too.
"""
MASKED = """本资料包按默认做法遮盖了个人信息：姓名只留姓，号码只留首尾；附件、佐证、票据、凭证和银行批次文件只列名称和哈希，不附原件。
申报书因此不能按哈希核对原文，文件里的 sha256 一项是原文的哈希，与台账核对。句子中间的人名无法由规则识别，可能仍在；协议、公示和评审报告按原件附上。请依法保管。"""
PLAIN = """本资料包含有个人信息的原件，申请时写明了理由并记入台账。请依法保管，用后按规定销毁或归档。"""
SAMPLE = """## 附：抽样

data/bids/ 只有公开抽样抽中的申报书（抽样编号 {id}，{size} 份，共 {count} 份）。名单和将来的随机源先锁定写入台账，随机源产生以后才抽；
data/draws/sample.json 可在网站“公开抽取”页重算。表格仍是全部。

"""


def text(call: Call, wish: Wish) -> str:
    """The guide of one package."""
    sample = wish.sample
    told = "" if sample is None else SAMPLE.format(id=sample.id, size=len(sample.drawn), count=len(sample.population))
    return TEXT.format(
        code=call.code, title=call.title, agency=call.agency.name, sample=told, personal=PLAIN if wish.personal else MASKED,
        ballots="，以及以专家代码列出的评分" if wish.ballots else "", opened="，以及打开它们的分数和随机数" if wish.ballots else "",
        trial="供预演规则用的申报和得分率（trial.json，不含单位名称；不由 verify.py 与台账核对）、" if wish.ballots else "",
        bids="，附件在旁" if wish.personal else "（已遮盖）", evidence="和原件" if wish.personal else "",
    )  # fmt: skip
