"""What can be done with bids, besides the steps of the machine: writing one, and screening those that were handed in.

    writing    start_bid, save_basics, save_answers, acknowledge_rules, finish
    tables     save_budget, save_kpis, save_team
    attaching  attach, attach_kept, detach
    following  declare, undeclare, deliver (files that are announced in time and follow after the deadline)
    keeping    keep, standing (one page's answers, saved one by one: About, Answers, BUDGET, KPIS, TEAM)
    presence   note, others
    handing    submit, withdraw, tick, ask_to_sign, send_back
    prefilling start_prefilled, prefill, confirm
    screening  screen, recheck, record_finding, record_findings
    dismissing dismiss_hint
"""

from bidding.services.attaching import attach, attach_kept, detach
from bidding.services.dismissing import dismiss_hint
from bidding.services.following import declare, deliver, undeclare
from bidding.services.handing import ask_to_sign, send_back, submit, tick, withdraw
from bidding.services.keeping import keep, standing
from bidding.services.prefilling import confirm, prefill, start_prefilled
from bidding.services.screening import recheck, record_finding, record_findings, screen
from bidding.services.tables import BUDGET, KPIS, TEAM, save_budget, save_kpis, save_team
from bidding.services.writing import About, Answers, acknowledge_rules, finish, save_answers, save_basics, start_bid

__all__ = [
    "BUDGET",
    "KPIS",
    "TEAM",
    "About",
    "Answers",
    "acknowledge_rules",
    "ask_to_sign",
    "attach",
    "attach_kept",
    "confirm",
    "declare",
    "deliver",
    "detach",
    "dismiss_hint",
    "finish",
    "keep",
    "prefill",
    "recheck",
    "record_finding",
    "record_findings",
    "save_answers",
    "save_basics",
    "save_budget",
    "save_kpis",
    "save_team",
    "screen",
    "send_back",
    "standing",
    "start_bid",
    "start_prefilled",
    "submit",
    "tick",
    "undeclare",
    "withdraw",
]
