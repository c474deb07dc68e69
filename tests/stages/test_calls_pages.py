"""Pages of calls: public notices, drafting from presets and files with what is wrong beside the text, versions and downloads."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.calls import services
from grants.calls.models import Call, RulesVersion
from grants.calls.rulebook import presets, toml
from grants.people.models import User
from grants.workflow.door import perform
from tests.world import calls, people
from tests.world.calls import DAY, later

pytestmark = pytest.mark.django_db


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def save(client: Client, desk: people.Office, rules: str, **more: Any) -> Any:
    return client.post(reverse("calls:new"), {"agency": str(desk.agency.pk), "text": rules, "act": "save", **more})


# --- in public ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(calls.PRESETS))
def test_a_notice_tells_a_visitor_everything(code: str) -> None:
    """Every category, criterion with its anchors, question, condition and attachment of each of the five calls, without an account."""
    made = calls.published(people.office(), calls.rules(code))
    response = Client().get(reverse("calls:public", args=[code]))
    page, rules = text(response), made.rules
    assert response.status_code == 200
    told = [c.name for c in rules.categories] + [b.name for b in rules.budget.categories] + [s.name for s in rules.sources]
    told += [c.name for sheet in rules.review.sheets for c in sheet.criteria]
    told += [a.means for sheet in rules.review.sheets for c in sheet.criteria for a in c.anchors]
    told += [f.label for section in rules.forms.application for f in section.fields]
    told += [c.code.zh for t in rules.funding.tranches for c in t.conditions] + [a.name for a in rules.attachments]
    missing = [words for words in told if words.replace("“", "") not in page.replace("“", "")]
    assert not missing


def test_drafts_have_no_public_page_and_the_list_hides_them() -> None:
    """404 for a visitor and for another agency; its own officer sees a preview that says so."""
    desk, elsewhere = people.office(), people.office()
    calls.draft(desk)
    url = reverse("calls:public", args=["YX-2026-03"])
    assert Client().get(url).status_code == as_(elsewhere.officer).get(url).status_code == 404
    assert "这是预览" in text(as_(desk.officer).get(url))
    assert "YX-2026-03" not in text(Client().get(reverse("calls:list")))
    assert "YX-2026-03" in text(as_(desk.officer).get(reverse("calls:list")))


def test_a_cancelled_notice_says_why() -> None:
    """The reason given with the step stands on the public page."""
    desk = people.office()
    perform(calls.published(desk), "cancel", by=desk.approver, note="年度资金调整，另行公告")
    assert "年度资金调整，另行公告" in text(Client().get(reverse("calls:public", args=["YX-2026-03"])))


def test_the_extended_deadline_is_the_one_shown() -> None:
    """With the first one beside it."""
    desk = people.office()
    made = calls.opened(desk)
    assert made.closes_at
    with clock.at(calls.OPENS + DAY):
        services.extend(made, made.closes_at + DAY, by=desk.approver)
    page = text(Client().get(reverse("calls:public", args=[made.code])))
    assert "已延长" in page


def test_the_downloads_are_what_the_ledger_hashed() -> None:
    """SHA-256 of the JSON bytes is the version's hash; the TOML reads back to equal rules; the schema is JSON."""
    made = calls.published(people.office())
    assert made.rules_version is not None
    as_json = Client().get(reverse("calls:json", args=[made.code, 1]))
    assert hashlib.sha256(as_json.content).hexdigest() == made.rules_version.hash
    as_toml = Client().get(reverse("calls:toml", args=[made.code, 1]))
    assert toml.loads(as_toml.content.decode()) == made.rules
    assert "attachment" in as_toml["Content-Disposition"]
    assert json.loads(Client().get(reverse("calls:schema")).content)["title"] == "CallRules"
    assert Client().get(reverse("calls:json", args=[made.code, 9])).status_code == 404


def test_a_drafted_addendum_is_not_public_until_it_is_issued() -> None:
    """Neither in the list of versions nor for download; afterwards both, with its differences in words."""
    desk = people.office()
    made = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        version = services.draft_addendum(made, later(made.rules), by=desk.officer)
        versions, file = reverse("calls:versions", args=[made.code]), reverse("calls:toml", args=[made.code, 2])
        assert "第 2 版" not in text(Client().get(versions)) and Client().get(file).status_code == 404
        assert "第 2 版" in text(as_(desk.approver).get(versions)) and as_(desk.approver).get(file).status_code == 200
        services.amend(made, version, by=desk.approver)
    page = text(Client().get(versions))
    assert "第 2 版" in page and version.changes[0]["sentence"] in page.replace("&quot;", '"')
    assert Client().get(file).status_code == 200


@pytest.mark.parametrize("n", [1, 3])
def test_the_public_list_asks_two_questions_whatever_it_holds(n: int) -> None:
    """Count and page."""
    desk = people.office()
    for code in sorted(calls.PRESETS)[:n]:
        calls.published(desk, calls.rules(code))
    with CaptureQueriesContext(connection) as asked:
        page = text(Client().get(reverse("calls:list")))
    assert page.count("YX-2026-0") >= n
    assert len(asked) == 2, [q["sql"][:100] for q in asked]


# --- drafting ----------------------------------------------------------------------------------------------------------


def test_an_officer_drafts_from_a_preset_by_clicks() -> None:
    """Load the sample moved to a wished opening, check, save, propose."""
    desk = people.office()
    client = as_(desk.officer)
    loaded = client.post(reverse("calls:new"), {"act": "preset", "preset": "micro", "opens_at": "2027-03-09T09:00"})
    rules = loaded.context["form"].initial["text"]
    assert loaded.status_code == 200 and toml.loads(rules).timetable.opens_at.year == 2027
    assert not Call.objects.exists()
    checked = client.post(reverse("calls:new"), {"agency": str(desk.agency.pk), "text": rules, "act": "check"})
    assert checked.status_code == 200 and not Call.objects.exists()
    saved = save(client, desk, rules)
    made = Call.objects.get()
    assert saved["Location"] == reverse("desk:object", args=["call", made.pk])
    client.post(reverse("desk:step", args=["call", made.pk, "propose"]), {"seen_state": "draft"})
    assert Call.objects.get(pk=made.pk).state == "pending"


def test_loading_a_preset_keeps_the_comments_of_the_file() -> None:
    """Without a new opening the text is the file as shipped."""
    response = as_(people.office().officer).post(reverse("calls:new"), {"act": "preset", "preset": "district", "opens_at": ""})
    assert response.context["form"].initial["text"] == presets.text("district")


def test_every_fault_is_listed_with_its_way_out_and_the_text_is_kept() -> None:
    """Nothing is saved, nothing typed is lost."""
    desk = people.office()
    wrong = presets.text("micro").replace("cap = 5_000", "cap = 5000.5\nceiling = 1", 1)
    response = save(as_(desk.officer), desk, wrong)
    page = text(response)
    assert response.status_code == 422 and not Call.objects.exists()
    assert "amounts.cap" in page and "amounts.ceiling" in page and "改法" in page
    assert "ceiling = 1" in page


def test_text_that_is_not_toml_says_where() -> None:
    """Line and column of the fault."""
    desk = people.office()
    response = save(as_(desk.officer), desk, 'schema = "call/1"\ncode YX\n')
    assert response.status_code == 422 and "line 2" in text(response)


def test_contradictions_are_shown_but_a_draft_may_keep_them() -> None:
    """The linter's table stands on the draft's page, with the code of each contradiction."""
    desk = people.office()
    bad = presets.text("micro").replace("percent = 70", "percent = 60", 1)
    client = as_(desk.officer)
    checked = client.post(reverse("calls:new"), {"agency": str(desk.agency.pk), "text": bad, "act": "check"})
    assert any(p.severity == "error" for p in checked.context["problems"])
    assert save(client, desk, bad).status_code == 302
    page = text(client.get(reverse("desk:object", args=["call", Call.objects.get().pk])))
    assert "检查结果" in page and "错误" in page


def test_an_uploaded_file_replaces_the_text_and_stays_to_be_corrected() -> None:
    """A good file is saved; a broken one comes back in the box; one that is no text is refused."""
    desk = people.office()
    client = as_(desk.officer)
    broken = SimpleUploadedFile("call.toml", b'title = "x', "application/toml")
    back = save(client, desk, "", file=broken)
    assert back.status_code == 422 and "title = &quot;x" in text(back)
    blank = SimpleUploadedFile("call.toml", b"  \n", "application/toml")
    assert save(client, desk, "", file=blank).status_code == save(client, desk, "  ").status_code == 422
    binary = SimpleUploadedFile("call.toml", b"\xff\xfe\x00\x00", "application/toml")
    assert "UTF-8" in text(save(client, desk, "", file=binary))
    good = SimpleUploadedFile("call.toml", b"\xef\xbb\xbf" + presets.text("micro").encode(), "application/toml")
    assert save(client, desk, "", file=good).status_code == 302
    assert Call.objects.get().code == "YX-2026-03"


def test_a_taken_code_is_refused_on_the_page() -> None:
    """With the text kept and the sentence above it."""
    desk = people.office()
    calls.draft(desk)
    response = save(as_(desk.officer), desk, presets.text("micro"))
    assert response.status_code == 422 and "已被另一次征集使用" in text(response)
    assert Call.objects.count() == 1


def test_others_do_not_draft_and_not_for_other_agencies() -> None:
    """403 for who has no drafting role; another agency is no choice."""
    desk, elsewhere = people.office(), people.office()
    assert as_(desk.approver).get(reverse("calls:new")).status_code == 403
    assert Client().get(reverse("calls:new")).status_code == 302
    response = save(as_(desk.officer), elsewhere, presets.text("micro"))
    assert response.status_code == 422 and "agency" in response.context["form"].errors
    made = calls.draft(desk)
    assert as_(elsewhere.officer).get(reverse("calls:edit", args=[made.pk])).status_code == 403


def test_a_draft_is_edited_as_text() -> None:
    """What is on file is in the box; saving replaces it."""
    desk = people.office()
    made = calls.draft(desk)
    client, url = as_(desk.officer), reverse("calls:edit", args=[made.pk])
    held = client.get(url).context["form"].initial["text"]
    assert toml.loads(held) == made.rules
    changed = toml.dumps(calls.rules(summary="新的简介"))
    assert client.post(url, {"text": changed, "act": "save"}).status_code == 302
    assert Call.objects.get(pk=made.pk).rules.summary == "新的简介"


def test_editing_a_published_call_makes_an_addendum_that_another_person_issues() -> None:
    """Check shows the differences; save drafts version 2; the approver issues it on the desk."""
    desk = people.office()
    made = calls.opened(desk)
    client, url = as_(desk.officer), reverse("calls:edit", args=[made.pk])
    new = toml.dumps(later(made.rules))
    with clock.at(calls.OPENS + DAY):
        checked = client.post(url, {"text": new, "act": "check"})
        assert checked.context["changes"] and RulesVersion.objects.filter(call=made).count() == 1
        assert client.post(url, {"text": new, "act": "save"}).status_code == 302
        step = reverse("desk:step", args=["call", made.pk, "amend"])
        body = {"seen_state": "open", "note": "根据咨询意见延长"}
        assert as_(desk.officer).post(step, body).status_code == 403
        assert as_(desk.approver).post(step, body).status_code == 302
    assert Call.objects.get(pk=made.pk).rules_version == RulesVersion.objects.get(call=made, number=2)


def test_the_deadline_is_extended_on_the_desk() -> None:
    """An earlier moment is refused beside the field; a later one in Beijing time is taken."""
    desk = people.office()
    made = calls.opened(desk)
    step = reverse("desk:step", args=["call", made.pk, "extend"])
    with clock.at(calls.OPENS + DAY):
        early = as_(desk.approver).post(step, {"seen_state": "open", "note": "x", "closes_at": "2026-03-01T17:00"})
        assert early.status_code == 422 and "closes_at" in early.context["form"].errors
        done = as_(desk.approver).post(step, {"seen_state": "open", "note": "系统故障", "closes_at": "2026-12-30T17:00"})
    assert done.status_code == 302
    closes_at = Call.objects.get(pk=made.pk).closes_at
    assert closes_at is not None and closes_at.astimezone(clock.TZ).strftime("%m-%d %H:%M") == "12-30 17:00"


def test_what_waits_is_shown_to_whom_it_waits_for() -> None:
    """The draft to its officer, the pending call to an approver who did not draft it, the addendum likewise."""
    from grants.calls.pages import waiting

    desk = people.office()
    made = calls.draft(desk)
    assert len(waiting(desk.officer)) == 1 and not waiting(desk.approver)
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
        assert len(waiting(desk.approver)) == 1 and not waiting(desk.officer)
        made = services.publish(made, by=desk.approver)
        assert not waiting(desk.approver)
        services.draft_addendum(made, later(made.rules), by=desk.officer)
    assert len(waiting(desk.approver)) == 1 and not waiting(desk.auditor)
