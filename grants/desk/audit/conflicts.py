"""回避核查记录: of one call every check that was made, every finding, and what became of it, in order of time. People by pseudonym and role only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.models import Bid
from grants.calls.models import Call
from grants.desk.audit.events import Words
from grants.ledger.models import AuditEvent
from grants.web.cells import Column
from grants.web.speaking import spoken
from grants.web.tables import Filters
from review.models import Challenge, ConflictHit, Review, Voiding

CHECK, FOUND, ASIDE, CHALLENGE, LEFT = "check", "found", "aside", "challenge", "left"
KINDS = {
    CHECK: gettext_lazy("核对"), FOUND: gettext_lazy("查到"), ASIDE: gettext_lazy("核实与决定"), CHALLENGE: gettext_lazy("回避申请"),
    LEFT: gettext_lazy("回避与作废"),
}  # fmt: skip
EVENTS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "draw.open",
            "call.check_conflicts",
            "panel.check_conflicts",
            "panel.found_conflict",
            "call.found_namesakes",
            "review.accept",
            "review.submit",
            "panel.lock",
            "meeting.release",
            "panel.conclude",
            "call.publish_notice",
        ),
        CHECK,
    ),
    **dict.fromkeys(("panel.propose_dismissal", "panel.dismiss_hit", "panel.keep_hit", "panel.propose_confirmation", "panel.confirm_hit"), ASIDE),
    **dict.fromkeys(("challenge.open", "challenge.uphold", "challenge.reject"), CHALLENGE),
    **dict.fromkeys(
        (
            "review.recuse",
            "review.void",
            "review.annul",
            "voiding.open",
            "voiding.approve",
            "voiding.refuse",
            "voiding.withdraw",
            "panel.reopen",
        ),
        LEFT,
    ),
}
"""Event of the log → what kind of line it is here. A check that refuses is no event: what it found is told by the findings."""


TOLD = frozenset({"draw.open", "call.check_conflicts", "panel.check_conflicts", "panel.found_conflict", "call.found_namesakes"})
"""Checks that say themselves how much they looked at; of the others it is told that they let the step pass."""


@dataclass(frozen=True)
class Line:
    """One line. who: a pseudonym, "system", or "" ; expert: a code; bid: a number; about: the finding, in its words; why: the reason given."""

    at: datetime
    kind: str
    what: str
    who: str
    role: str
    expert: str = ""
    bid: str = ""
    about: str = ""
    why: str = ""
    event: int | None = None

    @property
    def kind_words(self) -> str:
        return str(KINDS[self.kind])

    @property
    def url(self) -> str:
        return "" if self.event is None else reverse("desk:audit_event", args=[self.event])


COLUMNS = (
    Column(gettext_lazy("时间"), "at", "datetime", sort="at"),
    Column(gettext_lazy("类别"), "kind_words", name="kind", sort="kind"),
    Column(gettext_lazy("步骤"), "what", url="url"),
    Column(gettext_lazy("专家"), "expert", "code", sort="expert"),
    Column(gettext_lazy("申报"), "bid", "code", sort="bid"),
    Column(gettext_lazy("情形或范围"), "about"),
    Column(gettext_lazy("理由"), "why"),
    Column(gettext_lazy("经办人代号"), "who", "code"),
    Column(gettext_lazy("角色"), "role"),
)


class ByKind(Filters):
    """One kind of line, one expert."""

    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=[("", gettext_lazy("全部")), *KINDS.items()])
    expert = forms.CharField(label=gettext_lazy("专家代码"), max_length=10)

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        code = chosen["expert"].strip().upper()
        return [r for r in rows if chosen["kind"] in ("", r.kind) and code in ("", r.expert.upper())]


def lines(call: Call) -> list[Line]:
    """Everything, oldest first. Six queries, whatever the number of lines."""
    hits = list(ConflictHit.objects.filter(bid__call=call).select_related("expert", "bid", "found_by"))
    told = Words()
    rows = AuditEvent.objects.filter(scope=f"call:{call.pk}", event__in=EVENTS).select_related("payload").order_by("id")
    known = _Known.of(call, hits)
    found = [known.line(told, row) for row in rows] + [_finding(hit) for hit in hits]
    return sorted(found, key=lambda line: (line.at, line.kind != FOUND, line.event or 0))


def _finding(hit: ConflictHit) -> Line:
    who = "" if hit.found_by is None else str(hit.found_by.pseudonym)
    over = _("经关系 %(ties)s") % {"ties": "、".join(map(str, hit.ties))} if hit.ties else ""
    why = "；".join(word for word in (over, outcome_of(hit)) if word)
    what = _("查到同名线索（%(when)s）") if hit.candidate else _("查到应当回避的情形（%(when)s）")
    when = {"when": hit.get_moment_display()}
    return Line(hit.found_at, FOUND, what % when, who, "", hit.expert.code, hit.bid.number, spoken(hit.sentence), why)


def outcome_of(hit: ConflictHit) -> str:
    """What became of a finding; "" where it stands as it was found."""
    if hit.dismissed_by_id is not None:
        return _("已由两人排除")
    if hit.confirmed_by_id is not None:
        return _("已由两人确认应当回避")
    return _("等待两人核实") if hit.is_unsettled else ""


@dataclass(frozen=True)
class _Known:
    """What the log names by id only: findings by their hash, ballots, challenges and voidings by their subject, bids by theirs."""

    findings: Mapping[str, ConflictHit]
    pairs: Mapping[str, tuple[str, str]]
    bids: Mapping[str, str]

    @classmethod
    def of(cls, call: Call, hits: list[ConflictHit]) -> _Known:
        reviews = Review.objects.filter(panel__call=call).values_list("pk", "expert__code", "bid__number")
        pairs = {f"review:{pk}": (code, number) for pk, code, number in reviews}
        for row in Voiding.objects.filter(panel__call=call).select_related("review__expert", "review__bid"):
            pairs[row.subject] = (row.review.expert.code, row.review.bid.number)
        for asked in Challenge.objects.filter(bid__call=call).select_related("expert", "bid"):
            pairs[asked.subject] = (asked.expert.code if asked.expert is not None else "", asked.bid.number)
        bids = {str(pk): number for pk, number in Bid.objects.filter(call=call).values_list("pk", "number")}
        return cls({hit.fingerprint: hit for hit in hits}, pairs, bids)

    def line(self, told: Words, row: AuditEvent) -> Line:
        entry = told.entry(row)
        public, private = entry.public or {}, entry.private or {}
        expert, bid = self.pairs.get(row.subject, ("", ""))
        hit = self.findings.get(str(public.get("finding", "")))
        if hit is not None:
            expert, bid = hit.expert.code, hit.bid.number
        about = spoken(hit.sentence) if hit is not None else "；".join(_scope(row.event, public))
        return Line(
            row.at,
            EVENTS[row.event],
            told.what(row),
            entry.actor,
            told.role(row),
            expert,
            bid,
            about,
            str(private.get("note", "")),
            row.pk,
        )


def _scope(event: str, public: Mapping[str, Any]) -> Iterator[str]:
    """How much a check looked at, and what came of it."""
    if event in ("call.check_conflicts", "panel.check_conflicts"):
        yield _("核对 %(n)d 对专家与申报，新查到 %(hits)d 条") % {"n": public["pairs"], "hits": public["hits"]}
    if event == "draw.open" and "announced" in public and public["announced"].get("kind") == "panel":
        told = public["announced"]
        yield _("名单 %(n)d 人，其中应当回避 %(out)d 人") % {"n": len(told["pool"]), "out": len(told["barred"])}
    if event in ("panel.found_conflict", "call.found_namesakes"):
        yield _("%(when)s查到 %(n)d 条，见“查到”各行") % {"when": ConflictHit.Moment(public["moment"]).label, "n": len(public["findings"])}
    if EVENTS[event] == CHECK and event not in TOLD:
        yield _("核对通过，没有未处理的情形")
    if event in ("voiding.approve", "panel.reopen"):
        yield _("作废前的结果摘要 %(hash)s") % {"hash": public.get("result_before", "")}
