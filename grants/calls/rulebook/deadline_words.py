"""The sentences of 截止政策 in both languages. The Chinese text is what is printed on receipts and what counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ZH: Final[Mapping[str, str]] = {
    "heads": "时间|迟到|宽限|延长|系统故障|不服",
    "zone": "北京时间（Asia/Shanghai）",
    "lateness": "以申报的最后一个字节到达本系统的时刻为准（电子签名法第十一条），到截止的那一秒即为迟到；迟到的申报不受理。",
    "grace": "没有宽限。截止前可以随时撤回、修改、再次提交，以最后一次为准。",
    "follow": "截止前已声明名称、大小和 SHA-256 的附件，可在截止后 {hours} 小时内补交文件；与声明不一致的不收，逾期未补交的按没有提交处理。",
    "extension": "只能由主办方负责人延长，只能延后，对所有申报单位一视同仁，并通知所有可申报的单位。",
    "no_outage": "规则没有规定自动顺延；截止前发生故障的，由负责人按上述办法决定是否延长。",
    "outage": "截止前 {within_hours} 小时内系统不可用累计满 {from_minutes} 分钟的，截止时间顺延相同时长，至多 {at_most_hours} 小时，经负责人确认后通知所有"
    "可申报的单位；截止那一刻系统不可用的，不论长短，自恢复时起补足截止前失去的时间。系统自己测得而到截止时仍未确认的，由系统自动顺延；有待确认的故障时"
    "不截止、不开标。",
    "procurement": "知道或应当知道权益受损之日起 {days}内书面质疑，{reply}内答复；对答复不满意的，可向同级财政部门投诉（政府采购法第五十二条至第五十五条）。",
    "contact": "（{contact}）",
    "appeal": "向主办方{contact}书面提出，{reply}内书面答复；立项结果在公示期内按公示所列办法提出异议。",
}
EN: Final[Mapping[str, str]] = {
    "heads": "Time zone|Late bids|Grace|Extension|Outages|Appeal",
    "zone": "Beijing time (Asia/Shanghai)",
    "lateness": "What counts is the moment at which the last byte of the bid reached this site (Electronic Signature Law, article 11). The second of the "
    "deadline itself is late; late bids are not accepted.",
    "grace": "None. Until the deadline a bid may be withdrawn, changed and submitted again; the last submission counts.",
    "follow": " Files declared before the deadline by name, size and SHA-256 may follow within {hours} hours after it; a file other than declared is "
    "refused, and one that does not come counts as not submitted.",
    "extension": "Only by the agency’s approver, only to a later moment, for all applicants alike; everybody who may bid is told.",
    "no_outage": "The rules know no automatic extension; after an outage before the deadline the approver decides as above.",
    "outage": "If the site was down for {from_minutes} minutes or more within {within_hours} hours before the deadline, the deadline moves by as much, at most "
    "{at_most_hours} hours, once the approver has confirmed, and everybody who may bid is told. An outage that stands at the deadline is always made "
    "up for, from when service is back. What the site measured itself and nobody has confirmed by the deadline is given back automatically; while an "
    "outage waits to be confirmed, the call is neither closed nor opened.",
    "procurement": "A written query within {days} of learning of the harm; answered within {reply}. Whoever is not satisfied may complain to the "
    "finance department of the same level (Government Procurement Law, articles 52 to 55).",
    "contact": " ({contact})",
    "appeal": "In writing to the agency{contact}; answered in writing within {reply}. Against awards: an objection during the public notice, as "
    "the notice says.",
}
SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {"zh": ZH, "en": EN}
