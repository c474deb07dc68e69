"""Needs: propose, take into a call's list, erase contact data. Everything that moves a state goes through the door."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from grants import clock
from grants.calls.models import Call
from grants.calls.needs.models import TEXTS, WORDING, Need, wording_problems
from grants.people import revealing
from grants.people.models import Agency, Organisation, User
from grants.people.particulars import tidy
from grants.people.privacy import leaks
from grants.workflow.door import begin, perform, require
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow
from grants.workflow.rules import PUBLIC

TRIES = 5


def propose(
    agency: Agency, *, by: Any = PUBLIC, kind: str, organisation: Organisation | None = None, name: str = "", contact: str = "", **wording: Any
) -> Need:
    """Hand a need in, in state 待核实. by: a signed-in user, or PUBLIC; kind: Need.Proposer; wording: the fields of WORDING.

    name and contact are kept for the agency alone. Raises Invalid naming each field, also for a personal number in public text.
    """
    values = {n: tidy(v) if n in TEXTS else v for n, v in wording.items()}
    problems = wording_problems({n: values.get(n) for n in WORDING})
    if kind not in Need.Proposer.values:
        problems["kind"] = [_("请选择提出人。")]
    if leaks({"name": name}):
        problems["name"] = [_("姓名栏里请只写称呼；电话请写在联系方式一栏。")]
    if problems:
        raise Invalid(_("需求还不能提交：有 %(n)d 处需要改正。") % {"n": len(problems)}, rule="need_wording", problems=problems)
    need = Need(
        agency=agency, proposer_kind=kind, organisation=organisation, proposed_by=by if isinstance(by, User) else None,
        proposer_name=name.strip()[:60], contact=contact.strip()[:100], **{n: values[n] for n in WORDING if n in values},
    )  # fmt: skip
    return _let_in(need, by)


def _let_in(need: Need, by: Any) -> Need:
    """With the next number of the year; of two at the same moment the second takes the number after."""
    facts = Facts(public={"kind": need.proposer_kind, "field": need.field})
    year = clock.today().year
    for _attempt in range(TRIES):
        taken = Need.objects.filter(number__startswith=f"XQ-{year}-").count()
        need.number = f"XQ-{year}-{taken + 1 + _attempt:04d}"
        try:
            with transaction.atomic():
                return begin(need, by=by, facts=facts)
        except IntegrityError as taken_already:
            if "number" not in str(taken_already):
                raise
    raise NotNow(_("现在提交的人太多，请过一分钟再试；填写的内容还在。"), rule="need_number")


def attach(needs: list[Need], call: Call, *, by: User) -> list[Need]:
    """Write published needs into a draft call's 需求指引表 and mark each with its code there; all or none.

    Raises NotYou, NotNow (the call is no draft, a need is not public or already in this list).
    """
    from grants.calls import services  # noqa: PLC0415 - the call's services do not know needs
    from grants.calls.rulebook.toml import from_data  # noqa: PLC0415 - pydantic is slow to import

    with transaction.atomic():
        plain = call.rules.plain()
        listed = plain.setdefault("needs", {}).setdefault("items", [])
        codes = _free_codes({item["code"] for item in listed}, len(needs))
        for need, code in zip(needs, codes, strict=True):
            if need.call_id == call.pk:
                raise NotNow(_("「%(need)s」已在这次征集的需求指引中。") % {"need": need}, rule="not_listed_yet")
            listed.append(_item(need, code))
        services.revise(call, from_data(plain), by=by)
        held = Call.objects.select_related("agency", "rules_version").get(pk=call.pk)
        return [perform(need, "list_", by=by, call=held, code=code) for need, code in zip(needs, codes, strict=True)]


def _item(need: Need, code: str) -> dict[str, str]:
    """A row of the list, in Chinese whatever the officer's page is: it is published and kept."""
    text = f"{need.who}，约 {need.people} 人。{need.detail}（{need.number}）"
    return {"code": code, "title": need.title, "place": need.place, "text": text}


def _free_codes(taken: set[str], n: int) -> list[str]:
    """n01, n02 … that are not in the list yet."""
    free = (f"n{number:02d}" for number in range(1, 1000))
    return [code for code, _i in zip((c for c in free if c not in taken), range(n), strict=False)]


def erase_contact(need: Need, *, by: Any, receipt: str = "") -> Need:
    """删除联系方式: by the agency's officer, or by whoever holds the receipt. Raises NotYou."""
    return perform(need, "erase_contact", by=by, receipt=receipt) if receipt else perform(need, "erase_contact", by=by)


def read_contact(need: Need, *, by: User, reason: str) -> tuple[str, str]:
    """(name, contact) in full, for the officer who has to call back; the reading and what it was for are recorded.

    Raises NotYou, Invalid(reason).
    """
    from grants.calls.needs.rules import screener  # noqa: PLC0415 - rules are asked, not imported

    answer = require(screener, need, by=by)
    revealing.note(need, by=by, role=answer.role, reason=reason, what=["contact"])
    return need.proposer_name, need.contact
