"""The demonstration: five calls, played by simulated persons who use the same services as everybody else.

    cast      agencies, organisations, experts and their accounts
    content   what the bids are about
    asking    what residents say is missing
    writing   a bid, from an idea to submission
    judging   screening and review
    deciding  from the ranking to effective contracts, with objections
    paying    tranches, receipts, expenses, surplus
    reporting evaluations, evidence, closing
    story     which of it happens when, in each of the five calls
    diary     the days in order, under a clock that is set
    checks    what must hold afterwards, and the line per call
    serving   web server and worker as children of one supervisor
"""

from collections.abc import Callable

AFTERWARDS: list[Callable[[], object]] = []
"""What layers above the desk leave behind when the story is told; each registers itself when the apps are ready."""
