"""核验资料包 for `/verify/`: a package's ZIP or its tag manifest or only its number, beside the entry that says it was made.

A page cannot replace the package's own `verify.py`: it looks whether the files are the listed ones and the list the registered one.
"""

from __future__ import annotations

import io
import json
import re
import zipfile

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import clock
from grants.archives import UNREADABLE
from grants.audit import bag, reading
from grants.documents.proof import MEBIBYTE, Finding, Kind, Report
from grants.ledger.models import AuditEvent, stored_bytes

NAME = "package"
MOST_UNPACKED = 200 * MEBIBYTE  # bytes that this page reads; larger packages are for the verify.py inside
LONGEST = 200  # characters of a value that a stranger's file may show on our page
_NUMBER = re.compile(r"[0-9a-f]{64}")


def kind() -> Kind:
    explains = gettext_lazy("审计资料包的 ZIP，或包里的 tagmanifest-sha256.txt，或只填编号：逐个文件核对，编号与台账登记的比对。")
    return Kind(NAME, gettext_lazy("审计资料包"), explains, (".zip", ".txt"), 20 * MEBIBYTE, looks, check, typed)


def looks(content: bytes) -> bool:
    return content.startswith(b"PK") or (b"  bagit.txt" in content and b"  manifest-sha256.txt" in content)


def check(content: bytes) -> Report:
    """A package's ZIP, each file against the manifests; or its tagmanifest alone. Either way its number against our log."""
    if not content.startswith(b"PK"):
        return _answer(bag.number_of(content), [], _("没有核对包里的文件：只给了 tagmanifest-sha256.txt。"))
    try:
        tags, wrong, files = _unpacked(content)
    except UNREADABLE as bad:
        sentence = _("不是完整的资料包：%(why)s") % {"why": str(bad)[:LONGEST]}
        return Report(NAME, "fails", _("读不出资料包。"), (Finding("fails", sentence),), (), _limits())
    if wrong:
        return Report(NAME, "fails", _("资料包里的文件有改动。"), (Finding("fails", wrong),), (), _limits())
    return _answer(bag.number_of(tags), [Finding("holds", _("%(count)d 个文件与清单逐一相符，不多不少。") % {"count": files})])


def _number(number: str) -> Report:
    """A package's number as it is printed, without the package."""
    return _answer(number, [], _("没有核对文件：只给了编号。"))


def _answer(number: str, before: list[Finding], note: str = "") -> Report:
    event = _packed(number)
    notes = [Finding("note", note)] if note else []
    if event is None:
        sentence = _("本站台账没有登记过这个编号：包被改动过，或不是本站生成的。")
        return Report(NAME, "fails", _("与台账登记的不符。"), (*before, Finding("fails", sentence), *notes), ((_("编号"), number),), _limits())
    found = [*before, Finding("holds", _("编号与本站台账登记的一致，登记于 %(at)s。") % {"at": _beijing(event)}), *notes]
    return Report(NAME, "holds", _("与台账登记的资料包一致。"), tuple(found), ((_("编号"), number),), _limits())


def _packed(number: str) -> AuditEvent | None:
    """The entry that a package with this number was made. There are few packages: every entry of the kind is looked at."""
    rows = AuditEvent.objects.filter(event="call.package").order_by("id").iterator(chunk_size=500)
    return next((row for row in rows if json.loads(stored_bytes(row.leaf))["files"].get("package") == number), None)


def _beijing(event: AuditEvent) -> str:
    return f"{event.at.astimezone(clock.TZ):%Y-%m-%d %H:%M}"


def _unpacked(content: bytes) -> tuple[bytes, str, int]:
    """(the tag manifest, the first thing wrong or "", files checked). Raises for what is no package, or too large for a page."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
            raise ValueError(_("解开后超过 %(most)d MB，请运行包里的 verify.py。") % {"most": MOST_UNPACKED // MEBIBYTE})
        package = reading.InZip(archive)
        listed = reading.everything_listed(package)
        return package.read(bag.TAGS), first_wrong(package, listed), len(listed)


def first_wrong(package: reading.Held, listed: dict[str, str]) -> str:
    """What is missing, changed, or more than listed, with the file's name; "" for a whole package."""
    if (path := reading.missing(package, listed)) is not None:
        return _("缺少文件：%(path)s") % {"path": path[:LONGEST]}
    if (path := reading.changed(package, listed)) is not None:
        return _("文件与清单不符：%(path)s") % {"path": path[:LONGEST]}
    path = reading.more(package, listed)
    return _("多出文件：%(path)s") % {"path": path[:LONGEST]} if path is not None else ""


def _limits() -> tuple[str, ...]:
    return (
        _("包里各表是否互相吻合、评分能否复算、台账证明是否成立：请运行包里的 verify.py，它不需要本站。"),
        _("掌握台账私钥的人是否另有一本台账：请与印发的每日根比对。"),
    )


def typed(text: str) -> Report | None:
    """A package's number as it is printed; None for anything else."""
    return _number(text) if _NUMBER.fullmatch(text) else None
