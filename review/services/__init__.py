"""What can be done in review, besides the steps of the machines.

pool        register_expert, change_expert, add_relation
ties        record_tie, end_tie, withdraw_tie, read_ties, import_ties
challenges  challenge, uphold_challenge, reject_challenge
draws       announce, publish, start_draw, commit, close_commitments, reveal, substitute, enter_beacon, draw_now, fail_draw
assignments assign_soon
settling    propose_dismissal, propose_confirmation, dismiss_hit, confirm_hit, keep_hit, settle_all
panel       check_conflicts, assign, try_assignment, fill_gaps, void_conflicted
swaps       propose_swap
rulings     propose_ruling
voidings    propose_voiding
corrections propose_correction
seats       invite, join, decline, remind
drafts      keep_draft, sheet_of
scoring     accept, recuse, save_marks, settle, submit, hand_in, hand_in_all, open_discussion, revise, take_back, explain_deviation, enter_other_score, lock,
            recommend_amount, sign, conclude
meeting     present, question, release
"""

from review.services.assignments import assign_soon
from review.services.challenges import challenge, reject_challenge, uphold_challenge
from review.services.corrections import propose_correction
from review.services.drafts import Kept, keep_draft, sheet_of
from review.services.draws import (
    announce,
    close_commitments,
    commit,
    draw_now,
    enter_beacon,
    fail_draw,
    publish,
    reveal,
    start_draw,
    substitute,
)
from review.services.meeting import present, question, release
from review.services.panel import (
    assign,
    check_conflicts,
    fill_gaps,
    try_assignment,
    void_conflicted,
)
from review.services.pool import add_relation, change_expert, register_expert
from review.services.rulings import propose_ruling
from review.services.scoring import (
    accept,
    conclude,
    enter_other_score,
    explain_deviation,
    hand_in,
    hand_in_all,
    lock,
    open_discussion,
    recommend_amount,
    recuse,
    revise,
    save_marks,
    settle,
    sign,
    submit,
    take_back,
)
from review.services.seats import decline, fill_seats, invite, join, remind
from review.services.settling import confirm_hit, dismiss_hit, keep_hit, propose_confirmation, propose_dismissal, settle_all
from review.services.swaps import propose_swap
from review.services.tie_import import Incoming, import_ties, read_ties
from review.services.ties import end_tie, record_tie, withdraw_tie
from review.services.voidings import propose_voiding

__all__ = [
    "Incoming",
    "Kept",
    "accept",
    "add_relation",
    "announce",
    "assign",
    "assign_soon",
    "challenge",
    "change_expert",
    "check_conflicts",
    "close_commitments",
    "commit",
    "conclude",
    "confirm_hit",
    "decline",
    "dismiss_hit",
    "draw_now",
    "end_tie",
    "enter_beacon",
    "enter_other_score",
    "explain_deviation",
    "fail_draw",
    "fill_gaps",
    "fill_seats",
    "hand_in",
    "hand_in_all",
    "import_ties",
    "invite",
    "join",
    "keep_draft",
    "keep_hit",
    "lock",
    "open_discussion",
    "present",
    "propose_confirmation",
    "propose_correction",
    "propose_dismissal",
    "propose_ruling",
    "propose_swap",
    "propose_voiding",
    "publish",
    "question",
    "read_ties",
    "recommend_amount",
    "record_tie",
    "recuse",
    "register_expert",
    "reject_challenge",
    "release",
    "remind",
    "reveal",
    "revise",
    "save_marks",
    "settle",
    "settle_all",
    "sheet_of",
    "sign",
    "start_draw",
    "submit",
    "substitute",
    "take_back",
    "try_assignment",
    "uphold_challenge",
    "void_conflicted",
    "withdraw_tie",
]
