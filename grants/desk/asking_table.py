"""The table of `asking`: every step a person may press and every address that takes a form, each either asked again or left alone for a reason.

STEPS and PAGES ask; NOT_STEPS and NOT_PAGES say why they do not; OWN_PAGES ask by themselves. tests/stages/test_asking_again.py sees to it that
each stands in exactly one place, so that whoever adds a page has to think about it. docs/adr/0031 says where the line runs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.http import HttpRequest

from grants.people.again import FRESH, SITTING

Concerns = Callable[[HttpRequest], bool] | None
Step = tuple[str, str]


def _on(kind: str, *verbs: str) -> list[Step]:
    return [(kind, verb) for verb in verbs]


STEPS: Final[dict[Step, timedelta]] = {
    # what binds the agency in public, or cannot be taken back
    **dict.fromkeys(_on("call", "publish", "extend", "amend", "decide", "archive", "cancel"), FRESH),
    **dict.fromkeys(_on("award", "approve", "confirm", "cancel", "terminate", "close"), FRESH),
    **dict.fromkeys(_on("contract", "sign_grantee", "countersign", "ask_executor", "ask_grantee", "ask_grantor", "end"), FRESH),
    **dict.fromkeys(_on("panel", "lock", "conclude"), FRESH),
    ("seal", "sign"): FRESH,
    **dict.fromkeys(_on("bid", "erase_draft", "erase_team"), FRESH),
    # money, and where it goes
    **dict.fromkeys(_on("tranche", "approve", "order", "confirm_paid", "cancel"), FRESH),
    ("change", "approve"): FRESH,
    **dict.fromkeys(_on("organisation", "set_account", "verify_account"), FRESH),
    # who may do what
    ("account_request", "confirm"): FRESH,
    # a reviewer's word, many times in a row
    **dict.fromkeys(_on("review", "submit", "revise"), SITTING),
    ("panel", "sign"): SITTING,
}
"""Steps on the generic page: how recently one must have shown who one is."""

NOT_STEPS: Final[dict[str, list[Step]]] = {
    "a draft or a request: nothing follows before somebody else has looked at it": [
        *_on("organisation", "update", "submit", "reopen"), *_on("call", "propose"), *_on("question", "answer_"),
        *_on("bid", "ask_to_sign", "send_back"), *_on("contract", "redraw", "issue"), *_on("award", "reduce"), *_on("tranche", "request"),
        *_on("evaluation", "submit", "nominate", "grade",         "return_"), *_on("change", "endorse", "check_"), *_on("need", "check_"),
        *_on("tranche", "check_"),
    ],
    "handing in a bid can be taken back and done again until the deadline, and a question in its last minute could cost the bid": _on("bid", "submit"),
    "only takes back or stops: the safe direction": [
        *_on("account_request", "refuse", "withdraw"), *_on("organisation", "return_", "suspend"), *_on("call", "return_"),
        *_on("question", "return_"), *_on("bid", "withdraw"), *_on("seal", "withdraw_lost"), *_on("ruling", "refuse", "withdraw"),
        *_on("voiding", "refuse", "withdraw"), *_on("swap", "refuse", "withdraw"), *_on("score_correction", "refuse", "withdraw"),
        *_on("review", "recuse", "reopen"), *_on("award", "hold"),
        *_on("contract", "send_back", "withdraw_signature"), *_on("tranche", "return_", "withhold"), *_on("change", "refuse", "withdraw"),
        *_on("evaluation", "send_back"), *_on("objection", "withdraw"), *_on("panel", "decline"), *_on("draw", "fail"),
    ],
    "a clerk's finding among many in a row; it is written down with its ground and can be contested or corrected": [
        *_on("organisation", "verify", "reinstate"), *_on("bid", "return_for_correction", "admit", "reject"), *_on("need", "publish", "merge"),
        *_on("need", "meet", "decline", "erase_contact"), *_on("question", "publish", "decline", "merge"),
        *_on("objection", "accept", "refuse", "uphold", "dismiss"), *_on("challenge", "uphold", "reject"), *_on("award", "resume", "agree_reduction"),
        *_on("evaluation", "fail_late", "confirm", "accept_reason"), *_on("panel", "enter_score", "recommend"),
    ],
    "takes a second person, and what is set aside stays in the record": [
        *_on("ruling", "adopt"), *_on("voiding", "approve"), *_on("swap", "approve"), *_on("score_correction", "confirm"), *_on("review", "void"),
    ],
    "moves the work on, decides nothing": [
        *_on("panel", "invite", "join", "start", "remind", "discuss"), *_on("review", "accept", "explain"),
    ],
    "before other people's eyes, each answering for their own part, and anybody can compute it again": [
        *_on("draw", "start", "commit", "close", "reveal", "substitute", "enter_beacon", "draw"), *_on("meeting", "question", "release"),
    ],
    "before the call opens: a key is rehearsed by every officer, and given up and made anew": _on("seal", "get_ready", "replace"),
}


def _says(name: str, *values: str) -> Concerns:
    """Forms whose field `name` is one of `values`; without values, forms that have the field at all."""
    return lambda request: request.POST.get(name) in values if values else name in request.POST


def _without_file(name: str) -> Concerns:
    return lambda request: name not in request.FILES


def _reach_changes(request: HttpRequest) -> bool:
    """Another address or telephone: a forgotten password is set again through it."""
    return any(request.POST.get(name, "").strip() != getattr(request.user, name) for name in ("email", "phone"))


PAGES: Final[dict[str, tuple[timedelta, Concerns]]] = {
    "calls:downtime": (FRESH, _says("act", "confirm")),
    "awards:release": (FRESH, None),
    "awards:confirm": (FRESH, None),
    "awards:preview": (FRESH, _says("publish")),
    "funding:order_many": (FRESH, None),
    "funding:batch_new": (FRESH, None),
    "funding:reconcile": (FRESH, _without_file("statement")),
    "funding:not_received": (FRESH, None),
    "funding:surplus": (FRESH, _says("bank_reference")),
    "desk:job_resume": (FRESH, None),
    "people:accept_sponsorship": (FRESH, None),
    "people:end_sponsorship": (FRESH, None),
    "people:staff": (FRESH, None),
    "people:dismiss": (FRESH, None),
    "people:agencies": (FRESH, None),
    "people:open_account": (FRESH, None),
    "people:vouch": (FRESH, None),
    "people:reactivate": (FRESH, None),
    "people:unlock": (FRESH, None),
    "people:deactivate": (FRESH, None),
    "people:full": (FRESH, None),
    "funding:account": (FRESH, None),
    "needs:contact": (FRESH, None),
    "awards:objector": (FRESH, None),
    "people:profile": (FRESH, _reach_changes),
    "people:end_visit": (FRESH, None),
    "people:end_other_visits": (FRESH, None),
    "review:score": (SITTING, _says("do", "submit")),
    "review:hand_in": (SITTING, None),
}
"""Addresses with a page of their own: how recently, and which of the forms sent there (None: all)."""

OWN_PAGES: Final[dict[str, list[str]]] = {
    "the step demands the proof itself, and what is sent holds a part of a key, which is kept nowhere": [
        "bidding:seal_turn", "bidding:seal_finish", "bidding:seal_sign", "bidding:seal_lost",
    ],
    "django-allauth asks before a factor is changed": [
        "mfa_activate_totp", "mfa_add_webauthn", "mfa_deactivate_totp", "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_generate_recovery_codes",
    ],
    "the form itself asks for the password in use": ["people:password"],
}

NOT_PAGES: Final[dict[str, list[str]]] = {
    "this is the way of showing who one is": [
        "account_login", "account_logout", "account_reauthenticate", "desk:sign_in", "desk:sign_out", "mfa_authenticate", "mfa_login_webauthn",
        "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "openid_connect_login", "openid_connect_callback", "people:forgotten",
        "people:reset_password", "people:welcome", "people:sign_up", "socialaccount_connections", "socialaccount_signup",
    ],
    "for everybody, signed in or not": [
        "awards:object", "desk:corrections", "desk:receipts", "desk:verify", "needs:back", "needs:new", "needs:receipt", "square:passport_check",
        "square:feed", "set_language", "web:display", "web:style",
    ],
    "one's own comfort: nobody else is touched": [
        "calls:follow", "desk:calendar", "notifications:read_all", "notifications:wishes", "review:shortcuts", "review:skip", "people:drop",
        "people:story", "people:vault", "people:register",
    ],
    "a draft or a request: nothing follows before somebody else has looked at it": [
        "awards:draft_now", "awards:propose", "awards:recheck", "awards:reduce", "calls:edit", "calls:edit_element", "calls:edit_part", "calls:new",
        "calls:questions", "calls:start", "evaluation:closing", "evaluation:save", "evaluation:section", "funding:change", "people:ask", "people:mine",
        "people:propose_sponsorship", "review:propose_dismissal", "review:propose_ruling", "review:propose_voiding", "review:swap",
        "review:challenge", "review:correct",
    ],
    "a bid is written, handed in, withdrawn and handed in again until the deadline; a question in its last minute could cost the bid": [
        "bidding:about", "bidding:acknowledge", "bidding:ask_to_sign", "bidding:attachments", "bidding:budget", "bidding:carried", "bidding:check",
        "bidding:following", "bidding:hand_in", "bidding:kpis", "bidding:one_page", "bidding:remove", "bidding:reuse", "bidding:save",
        "bidding:seal_here", "bidding:sealed", "bidding:sealed_offline", "bidding:section", "bidding:send_back", "bidding:start", "bidding:team",
        "bidding:workbook",
    ],
    "gives back what the bidder sealed, and its hash decides whether it is that": ["bidding:restore"],
    "before the call opens, or only takes back": ["bidding:officer_key", "bidding:seal", "bidding:seal_again", "bidding:seal_found", "bidding:seal_replace"],
    "a clerk's finding among many in a row; it is written down with its ground and can be contested or corrected": [
        "bidding:admit_ready", "bidding:related", "bidding:run", "bidding:screening", "calls:release", "needs:desk", "people:add_record",
        "people:remove_credit", "people:revoke_check", "review:dismiss", "review:keep_hit", "review:namesakes", "review:void",
        "review:void_conflicted", "funding:verify_receipt", "funding:disallow",
    ],
    "a paper is handed in or a row is booked; money follows only after a step that asks": ["funding:expense", "funding:receipt", "funding:voucher"],
    "moves the work on, decides nothing": [
        "desk:job_cancel", "desk:award_pack", "audit:packages", "desk:audit_sample", "desk:audit_samples", "people:deliver_again", "people:retry",
        "people:text", "people:sign_out", "review:assign", "review:check", "review:convene", "review:expert", "review:import_ties",
        "review:invitation", "review:new_expert", "review:new_tie", "review:tie", "review:remind",
    ],
    "a ballot is filled in and taken back; handing it in asks": [
        "review:draft", "review:grid", "review:upload", "review:review", "review:recuse", "review:take_back",
    ],
    "before other people's eyes, and anybody can compute it again": ["review:lots", "review:meeting", "review:meeting_act", "review:publish_draw"],
}
"""Addresses that take a form and do not ask, by the reason. `desk:step` is every step's page: STEPS and NOT_STEPS."""
