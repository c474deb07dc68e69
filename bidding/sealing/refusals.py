"""Why something sealed was not opened. Sentences in both languages, because these modules know no translation machinery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "passphrase": (
        "口令不对，或钥匙文件“%(name)s”已损坏。请逐组核对口令（不分大小写，可省略连字符）。",
        "Wrong passphrase, or the key file “%(name)s” is damaged. Check the passphrase group by group (capitals and hyphens do not matter).",
    ),
    "identity": ("“%(name)s”不是 age 钥匙。请选择开标人自己保存的钥匙文件。", "“%(name)s” is no age key. Choose the officer's own key file."),
    "recipient": ("“%(name)s”不是 age 公钥（应以 age1 开头）。", "“%(name)s” is no age recipient (it begins with age1)."),
    "officers": (
        "开标人 %(n)d 名、门限 %(m)d 人不成立：门限应为 2 至 5 人，开标人不少于门限且不超过 5 名，公钥不得重复。",
        "%(n)d officers with a threshold of %(m)d do not work: 2 to 5, no fewer officers than the threshold, at most 5, no key twice.",
    ),
    "no_share": ("没有“%(name)s”这一组的钥匙分份。", "There is no share of the group “%(name)s”."),
    "wrong_key": (
        "这把钥匙打不开“%(name)s”：它是为别人加密的，或文件开头已损坏。",
        "This key does not open “%(name)s”: it was sealed for somebody else, or its first lines are damaged.",
    ),
    "damaged": (
        "“%(name)s”已损坏或不完整，无法打开。请投标单位用投标留存包恢复。",
        "“%(name)s” is damaged or cut off. Let the bidder restore it from the kept copy.",
    ),
    "other_bid": (
        "“%(name)s”里的内容属于另一份投标（%(field)s 与公开的投标头不符）。",
        "What is in “%(name)s” belongs to another bid (its %(field)s is not the header's).",
    ),
    "commitment": ("“%(name)s”的内容与投标时的承诺值不符。", "The content of “%(name)s” does not fit the commitment made when it was handed in."),
    "missing": ("投标头列出的“%(name)s”没有找到。", "“%(name)s”, which the header lists, is not there."),
    "unlisted": ("“%(name)s”不在投标头里。", "“%(name)s” is not in the header."),
    "key_lost": (
        "够数的开标钥匙已经丢失，本次征集的投标都无法打开，不是这份投标的问题；投标单位可用投标留存包恢复。",
        "Too few officers still have keys: no bid of this call could be opened, nothing is wrong with this one. The kept copy restores it.",
    ),
    "control": (
        "“%(name)s”不是离线封标表里的栏目；请核对名称，表格的行号从 0 开始。",
        "“%(name)s” is no control of the sheet. Check its name; rows of a table are counted from 0.",
    ),
    "answer": (
        "“%(name)s”要写成文字（加引号）、整数、true，或一组文字；小数和金额请加引号。",
        "“%(name)s” must be a text in quotes, a whole number, true, or a list of texts; put decimals and amounts in quotes.",
    ),
    "choice": ("“%(name)s”填的不是可选的值，请照离线封标表里的代号填写。", "“%(name)s” is not one of the choices; use the codes of the sheet."),
    "pledge": ("还没有同意承诺书：%(name)s。同意的，把代号写进 pledges。", "Not agreed to yet: %(name)s. If you agree, write its code into pledges."),
    "item": ("“%(name)s”不属于要交的附件，请照离线封标表里的代号填写 item。", "“%(name)s” is for no item of the attachment list; use the codes of the sheet."),
    "other_key": (
        "离线封标表里的征集公钥与您抄写的不同（表里是 %(name)s），没有封标；请与公告、其他单位核对。",
        "The sheet's recipient is not the one you noted (it says %(name)s). Nothing was sealed; compare with the notice and with others.",
    ),
    "format": ("“%(name)s”的格式无法识别。", "The format of “%(name)s” is unknown."),
    "rehearsal": ("演练开标没有通过：%(name)s 打开的不是测试信封的内容。", "The rehearsal failed: %(name)s opened something else than the test envelope."),
}


class SealRefused(ValueError):
    """`rule` is stable; `name` says which file or person; `sentence` is Chinese, `english` the same in English."""

    def __init__(self, rule: str, name: str = "", **figures: object) -> None:
        self.rule, self.name = rule, name
        values = {"name": name, **figures}
        self.sentence, self.english = (text % values for text in SENTENCES[rule])
        super().__init__(f"{self.sentence} / {self.english}")
