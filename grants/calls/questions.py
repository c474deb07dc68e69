"""答疑：已提问 → 已拟答 → 已公开 / 不予答复 / 已合并. Everybody reads the same answers; nobody reads who asked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.permissions import scopes_held, scopes_with
from grants.people.privacy import leaks
from grants.people.rules import may, not_same_as
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import Ask, Rule, row_rule, rule

ANSWERING = ("published", "open")
"""States of a call in which questions are asked and answered."""
LONGEST = 2000


class QuestionStates(models.TextChoices):
    ASKED = "asked", _("待答复")
    ANSWERED = "answered", _("已拟答")
    PUBLISHED = "published", _("已公开")
    DECLINED = "declined", _("不予答复")
    MERGED = "merged", _("已合并")


S = QuestionStates
KINDS = {"id": _("身份证号"), "mobile": _("手机号码"), "landline": _("电话号码"), "bank": _("银行卡号"), "email": _("电子邮箱")}


@rule(_("在提问期内"))
def question_time(ask: Ask) -> object:
    """Until the published end of questions, so that everybody has time to use the answers."""
    call = ask.obj.call
    if call.state not in ANSWERING:
        return _("这次征集现在不接受提问。")
    if call.questions_until is not None and ask.now > call.questions_until:
        return _("提问已截止；请看已公开的答复，或按公告上的咨询方式联系主办方。")
    return True


@rule(_("尚未截止申报"), _("申报已截止，答复不再公开；不再处理的问题请写明原因后不予答复。"))
def still_useful(ask: Ask) -> bool:
    """An answer is for those who still can use it: before the deadline, to all alike."""
    call = ask.obj.call
    return call.state in ANSWERING and call.closes_at is not None and ask.now < call.closes_at


@rule(_("不含个人信息"), typed=True)
def nothing_personal(ask: Ask) -> object:
    """Questions and answers stand on a public page: identity, telephone and card numbers and addresses of persons may not."""
    text = ask.details.get("answer", ask.obj.text)
    found = leaks({"text": str(text)}, known=[ask.obj.call.rules.agency.contact])
    if not found:
        return True
    kinds = "、".join(f"{KINDS[leak.kind]}（{leak.sample}）" for leak in found[:3])
    return _("问题和答复会公开，不要写个人信息：含有疑似%(what)s。请删去后再提交。") % {"what": kinds}


@rule(_("合并到同一征集的另一问题"), _("只能合并到同一次征集中另一个还在处理或已公开的问题。"), typed=True)
def another_of_the_call(ask: Ask) -> bool:
    into = ask.details.get("into")
    return into is not None and into.pk != ask.obj.pk and into.call_id == ask.obj.call_id and into.state not in (S.MERGED, S.DECLINED)


def _visible(actor: Any) -> Q:
    from grants.people.models import Agency, Organisation  # noqa: PLC0415 - models import this module's machine

    return scopes_with(actor, "read_calls", Agency, "call__agency") | scopes_held(actor, Organisation, "organisation")


question_visible: Rule = row_rule(
    "question_visible", _("提问单位或主办方人员"), _visible, _("只有提问单位和主办方可以查看处理经过；公开的答复在公告页面。")
)


class QuestionMachine(Machine):
    """对一次征集的提问。答复由一人拟、另一人公开，对所有人一样；提问人不公开。"""

    States = QuestionStates
    machine_name = "question"
    door_select = ("call", "call__agency", "call__rules_version", "organisation")
    opening: ClassVar[Opening] = Opening(
        _("提问"), by=may("see_bids", on="organisation"), when=(question_time, nothing_personal), then=("calls.question_asked",)
    )
    state = StateField(default=S.ASKED, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("拟写答复"), source=[S.ASKED, S.ANSWERED], to=S.ANSWERED, by=may("draft_calls"), when=[still_useful, nothing_personal])
    def answer_(self, *, answer: str) -> None:
        """经办拟写；公开之前可以修改。"""
        self.answer, self.answered_by, self.answered_at = answer.strip(), self.actor, clock.now()

    @step(state, _("退回重拟"), source=S.ANSWERED, to=S.ASKED, by=may("approve_calls"), danger=True)
    def return_(self) -> None:
        """负责人写明要改什么。"""

    @step(state, _("公开答复"), source=S.ANSWERED, to=S.PUBLISHED,
          by=(may("approve_calls") | may("draft_calls")) & not_same_as(
              "answered_by", _("不是拟答人"), _("答复由您拟写，须由另一人核对后公开（拟写与公开分离）。")),
          when=[still_useful], then=["calls.answer_published"])
    def publish(self, *, at: datetime | None = None) -> Facts:
        """由另一人核对后公开，所有人同时看到。"""
        self.published_at = at or clock.now()
        return Facts(public={"question": str(self.pk)})

    @step(state, _("不予答复"), source=[S.ASKED, S.ANSWERED], to=S.DECLINED, by=may("draft_calls"),
          then=["calls.question_settled"], danger=True)
    def decline(self) -> None:
        """写明原因，告知提问单位。"""

    @step(state, _("合并到另一问题"), source=[S.ASKED, S.ANSWERED], to=S.MERGED, by=may("draft_calls"),
          when=[another_of_the_call], then=["calls.question_settled"])
    def merge(self, *, into: Any) -> Facts:
        """同样的问题只答一次；提问单位会收到那一个答复。"""
        self.into = into
        return Facts(public={"into": str(into.pk)})

    if TYPE_CHECKING:
        into: Any
        published_at: Any
