"""`review assign IN.json OUT.json`: which expert reviews which bid (docs/review-commands.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from review.assign import Floor, Infeasible, NotSolved, Problem, assign
from review.assign.files import Malformed, answer_of, changed, problem_of, written

HELP = "which expert reviews which bid: floor, affinity, loads; OUT.json carries a certificate that needs no solver to check"


def add_arguments(parser: ArgumentParser) -> None:
    """IN, OUT, and the options a file may also state itself; those given here win."""
    parser.add_argument("source", metavar="IN.json", type=Path)
    parser.add_argument("target", metavar="OUT.json", type=Path)
    parser.add_argument("--floor", choices=[str(f) for f in Floor], help="how many reviews of a bid reach the floor; majority unless said")
    parser.add_argument("--fair", type=float, metavar="EPS", help="share of the total affinity that may be lost for the worst bid, e.g. 0.005")
    parser.add_argument("--equal", action="store_true", default=None, help="loads as equal as possible, before affinity")
    parser.add_argument("--randomised", type=int, choices=[1, 2], help="2: shortlist twice the reviews, then draw: no pair is more likely than ½")
    parser.add_argument("--seed", metavar="HEX", help="of the published tie hash and of the draw; empty unless said")


def run(options: dict[str, Any]) -> None:
    """Read, solve, write. Exit 1: input; 2: infeasible, with the minimum cut in words; 3: the solver gave no answer."""
    source: Path = options["source"]
    try:
        problem = _problem(source, options)
        answer = answer_of(problem, assign(problem))
    except Malformed as wrong:
        raise CommandError(str(wrong), returncode=1) from wrong
    except Infeasible as short:
        lines = (short.sentence + short.way_out, f"{short.english} {short.english_way_out}")
        raise CommandError("\n".join(lines), returncode=2) from short
    except NotSolved as failed:
        raise CommandError(f"{failed.sentence}\n{failed.english}", returncode=3) from failed
    _write(options["target"], written(answer))


def _problem(source: Path, options: dict[str, Any]) -> Problem:
    try:
        text = source.read_bytes()
    except OSError as wrong:
        raise CommandError(_("读不出文件 %(path)s：%(why)s") % {"path": source, "why": wrong.strerror}, returncode=1) from wrong
    problem = problem_of(text)
    said = {name: options[name] for name in ("floor", "fair", "equal", "randomised", "seed") if options.get(name) is not None}
    chosen, seed = changed(problem.options, problem.seed, said, lambda name: f"--{name}")
    return replace(problem, options=chosen, seed=seed)


def _write(target: Path, content: bytes) -> None:
    try:
        target.write_bytes(content)
    except OSError as wrong:
        raise CommandError(_("写不了文件 %(path)s：%(why)s") % {"path": target, "why": wrong.strerror}, returncode=1) from wrong
