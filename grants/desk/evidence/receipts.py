"""查验回执: anybody checks a receipt, in the browser (nothing leaves it) or by the server (nothing is kept)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from grants.ledger import keys, proofs, receipts
from grants.ledger.attached import LARGEST, receipt_in
from grants.ledger.models import AuditEvent
from grants.ledger.offline import verify
from grants.web.limits import by_address, limited
from grants.workflow.refusals import Sentence

LARGEST_PDF = 5 * 1024 * 1024  # bytes; a printed receipt has some hundred thousand

HOLDS: dict[str, Sentence] = {
    "signature": gettext_lazy("签名成立：回执由 %(detail)s 的密钥签发，内容没有改动。"),
    "entry": gettext_lazy("台账条目可读，与回执上的文字一致；事件编号 %(detail)s。"),
    "inclusion": gettext_lazy("已写入台账：序号、检查点大小和根为 %(detail)s。"),
    "pending": gettext_lazy("回执里还没有台账证明：签名只证明平台当时签收；一分钟后重新下载回执再查。"),
    "cosignatures": gettext_lazy("检查点有 %(detail)s 个外部见证者联署。"),
}
BREAKS: dict[str, Sentence] = {
    "receipt": gettext_lazy("这不是一张完整的回执"), "key": gettext_lazy("签发的公钥对不上"), "signature": gettext_lazy("签名不成立"),
    "entry": gettext_lazy("条目与回执不一致"), "format": gettext_lazy("写法不对"), "proof": gettext_lazy("台账证明读不出"),
    "checkpoint": gettext_lazy("检查点不可信"), "inclusion": gettext_lazy("台账证明不成立"),
}  # fmt: skip


class ReceiptForm(forms.Form):
    """A receipt as a file or as text, and public keys kept elsewhere."""

    file = forms.FileField(
        label=gettext_lazy("回执文件"), required=False, help_text=gettext_lazy("申报单位下载的 .receipt.json 文件，或内嵌该文件的回执 PDF。")
    )
    text = forms.CharField(
        label=gettext_lazy("或粘贴回执内容"), required=False, max_length=LARGEST, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
    )
    key = forms.CharField(
        label=gettext_lazy("另外保存的公钥"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy("可不填。填公告里印的公钥行（一行一个）更可靠：不填时用本平台自己的公钥，查不出平台管理员作的假。"),
    )  # fmt: skip

    def clean_key(self) -> list[verify.Key]:
        try:
            return verify.read_keys([str(self.cleaned_data["key"])], "外部")
        except verify.Bad as wrong:
            raise forms.ValidationError(_("公钥读不出：%(why)s。请复制完整的一行。") % {"why": wrong.detail}) from wrong

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        text = self._uploaded(given["file"]) if given.get("file") else given.get("text", "")
        if not text.strip() and not self.errors:
            self.add_error("file", _("请选择回执文件，或把回执内容粘贴在下面。"))
        return {**given, "receipt": text}

    def _uploaded(self, file: Any) -> str:
        content = file.read(LARGEST_PDF + 1)
        if len(content) > (LARGEST_PDF if content.startswith(b"%PDF") else LARGEST):
            self.add_error("file", _("文件太大，不是回执：回执只有几千字节。"))
            return ""
        if not content.startswith(b"%PDF"):
            return str(content.decode("utf-8", "replace"))
        found = receipt_in(content)
        if found is None:
            self.add_error("file", _("这份 PDF 里没有内嵌的回执签名文件：可能是扫描件，或另存时丢了附件。请用系统下载的原文件。"))
        return found or ""


@dataclass(frozen=True)
class Outcome:
    """What a check found. fault: the first thing that does not hold, "" when everything does; steps: what held before it."""

    steps: tuple[str, ...]
    fault: str
    about: dict[str, Any]
    pending: bool = False


@dataclass(frozen=True)
class Place:
    """Where a leaf stands, for whoever scanned a printed receipt."""

    known: bool
    index: int | None = None
    size: int = 0
    root: str = ""


@limited("desk.receipts", "120/h", by_address, methods=("POST",))
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form, the public keys, and the answer: to what was sent, or to the code of a printed receipt (`event`, `leaf`)."""
    form = ReceiptForm(request.POST or None, request.FILES or None)
    outcome, status = None, 200
    if request.method == "POST":
        outcome = check(form.cleaned_data["receipt"], form.cleaned_data["key"]) if form.is_valid() else None
        status = 200 if outcome is not None and not outcome.fault else 422
    context = {"form": form, "outcome": outcome, "place": _scanned(request), "keys": [str(key) for key in keys.published()]}
    return render(request, "evidence/receipts.html", context, status=status)


def check(text: str, given: list[verify.Key]) -> Outcome:
    """Check a receipt's text against the given keys, or this installation's."""
    held: list[tuple[str, str]] = []
    fault, about = "", {}
    try:
        about = verify.read_receipt(text)["about"]
        verify.check_receipt(text, given or receipts.trusted(), lambda step, detail: held.append((step, detail)))
    except verify.Bad as bad:
        fault = f"{BREAKS.get(bad.kind, bad.kind)}：{bad.detail}"
    steps = tuple(str(HOLDS[step]) % {"detail": detail} for step, detail in held if step != "pending")
    return Outcome(steps, fault, {} if fault else about, any(step == "pending" for step, _detail in held))


def _scanned(request: HttpRequest) -> Place | None:
    """The answer to a printed code: an event is only found by whoever knows its leaf hash too."""
    uid, leaf = request.GET.get("event", ""), request.GET.get("leaf", "")
    if not uid and not leaf:
        return None
    try:
        event = AuditEvent.objects.get(uid=UUID(uid))
    except (ValueError, AuditEvent.DoesNotExist):
        return Place(known=False)
    if receipts.leaf_hash_of(event) != leaf:
        return Place(known=False)
    proved = proofs.inclusion(event)
    if proved is None:
        return Place(known=True)
    return Place(True, proved.index, proved.checkpoint.size, bytes(proved.checkpoint.root).hex())
