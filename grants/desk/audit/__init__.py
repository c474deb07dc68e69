"""审计 the auditor's desk: search the log, read a call's tables and take them home, draw samples that anybody can draw again.

Everything here only reads, after opening; and every reading and download is an entry of the log that the agency sees.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

EVENTS = {
    "sample.freeze": _("锁定抽样名单"), "sample.draw": _("公开抽样"), "call.package": _("生成审计资料包"), "call.download": _("下载文件"),
}  # fmt: skip
"""What the log calls the steps of a sample, and a package that was made."""
