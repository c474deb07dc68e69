"""What the scripts of the officers' pages say, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Rule or place → sentence; rules as `sealing.refusals` names them."""
    return {
        "making": _("正在生成，要几秒钟，请不要关闭页面…"),
        "made": _("已生成。请先把口令打印或抄下，再登记。"),
        "unlocking": _("正在用您的口令解开，要几秒钟…"),
        "key_file": _("开标钥匙.age"),
        "no_words": _("请填写您的口令。"),
        "no_file": _("请选择您自己保存的钥匙文件。"),
        "passphrase": _("口令不对，或钥匙文件已损坏。请逐组核对口令（不分大小写，可省略连字符）。"),
        "identity": _("解出来的不是 age 钥匙，请换用您登记的那一个钥匙文件。"),
        "wrong_key": _("您的钥匙打不开这一份：它是为您登记的另一把钥匙做的。请用制作密钥时登记的钥匙文件。"),
        "damaged": _("这一份内容已损坏。请点“这一组从头开始”；仍然不行，请改用别的组。"),
        "officers": _("开标人和人数不成立：至少两名开标人，每人一个不同的岗位和钥匙，一起开标的人数不能多于开标人。"),
        "failed": _("没有成功，什么也没有发出。请再试一次；仍然不行，请换用新版浏览器，或用自己的 age 工具办理。"),
    }
