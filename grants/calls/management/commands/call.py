"""`manage.py call`: the rules of calls as files — lint, diff, rehearse, schema, import, export."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from grants.calls.rulebook import CallRules, Problem, RulesInvalid, Severity, toml
from grants.workflow.refusals import Refusal

if TYPE_CHECKING:
    from grants.calls.rulebook.rehearsal import Earlier

MOST_BIDS = 2000


class Command(BaseCommand):
    """One sub-command for each thing an officer or an auditor does with a call's file."""

    help = "Lint, compare, describe, import and export the rules of calls (call.toml)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sub-commands."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("lint", help="every fault and contradiction; exit 1 on errors").add_argument("files", nargs="+")
        compare = verbs.add_parser("diff", help="what changed, how grave it is, whether the version number fits")
        compare.add_argument("old")
        compare.add_argument("new")
        trial = verbs.add_parser("rehearse", help="the rules on bids that nobody wrote: who falls out, ties, money used, weights that decide")
        trial.add_argument("file")
        trial.add_argument("--seed", type=int, default=None, help="another example")
        trial.add_argument("--bids", type=int, default=None, help="how many")
        earlier = "the bids and ballots of an earlier round instead of synthetic ones: its code, or its audit package (ZIP or folder)"
        trial.add_argument("--from", dest="earlier", metavar="CALL|PACKAGE", help=earlier)
        trial.add_argument("--experts", type=int, default=None, help="how many share the reading: load of each, and their strictness in synthetic ballots")
        describe = verbs.add_parser("schema", help="the JSON Schema, or the handbook")
        describe.add_argument("--handbook", action="store_true", help="docs/call-rules.md instead")
        read = verbs.add_parser("import", help="a new draft call from a file")
        read.add_argument("file")
        read.add_argument("--agency", required=True, help="name of the agency （主办方）")
        read.add_argument("--by", required=True, help="account name of the drafting officer")
        verbs.add_parser("export", help="a call's current rules as TOML").add_argument("code")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sub-command; faults of files are shown one by one and exit 1."""
        try:
            getattr(self, "_" + options["verb"])(**options)
        except RulesInvalid as error:
            self._show(list(error.problems))
            sys.exit(1)

    def _lint(self, *, files: list[str], **_: Any) -> None:
        problems = [problem for name in files for problem in _problems_of(name)]
        self._show(problems)
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        self.stdout.write(f"{len(files)} 个文件，{errors} 处错误，{len(problems) - errors} 处提醒")
        if errors:
            sys.exit(1)

    def _diff(self, *, old: str, new: str, **_: Any) -> None:
        from grants.calls.rulebook.diff import WORDS, diff, version_fault  # noqa: PLC0415 - each verb pays for itself

        before, after = _read(old), _read(new)
        changes = diff(before, after)
        for change in changes:
            self.stdout.write(f"[{WORDS[change.gravity]}] {change.path}: {change.sentence}")
        fault = version_fault(before, after)
        self.stdout.write(fault or f"{len(changes)} 处改动，版本号 {before.version} → {after.version} 相符")
        if fault:
            sys.exit(1)

    def _rehearse(self, *, file: str, seed: int | None, bids: int | None, earlier: str | None, experts: int | None, **_: Any) -> None:
        from grants.calls.rulebook.rehearsal import rehearse  # noqa: PLC0415 - as above

        rules = _read(file)
        _refuse_figures(rules, seed, bids, earlier, experts)
        trial = _trial_bids(rules, seed, bids, earlier, experts)
        result = rehearse(rules, trial.bids)
        self.stdout.write(f"{result.bids} 份{f'{trial.name} 的' if trial.name else '虚构'}申报，{len(result.exclusions)} 份被排除：")
        for rule, number in sorted(result.by_rule.items()):
            sentence = next(each.sentence for each in result.exclusions if each.rule == rule)
            self.stdout.write(f"  {rule} {number} 份，例如：{sentence}")
        for sentence in (*result.unrehearsed, *([trial.note] if trial.note else [])):
            self.stdout.write(f"没有预演的、假定的：{sentence}")
        self._show_expectation(rules, result.staying, trial, experts)
        if result.refused:
            self.stdout.write(f"规则不能执行：{result.refused}")
            sys.exit(1)
        self._show_rehearsal(result)

    def _show_expectation(self, rules: CallRules, bids: int, trial: Earlier, experts: int | None) -> None:
        """Reliability and load with the usual numbers of experts and with the rules'."""
        from grants.calls.rulebook.expectation import sizes  # noqa: PLC0415 - as above

        agreement, sharing = trial.agreement, experts or trial.experts
        basis = f"取 {agreement.call} 实测的 {agreement.value}" if agreement.call else f"没有往期实测，假定为 {agreement.value}"
        load = f"由 {sharing} 位专家分担" if sharing else "专家人数没有写（--experts N），不算每人几份"
        self.stdout.write(f"名次能信到什么程度（两位专家的一致程度{basis}；{load}；{bids} 份进入评审）：")
        for each in sizes(agreement.value, bids, sharing, rules.review.panel.size):
            one = "" if each.load is None else f"，每位专家约 {each.load} 份"
            self.stdout.write(f"  每份 {each.n} 位专家{'（现在的规则）' if each.chosen else ''}：可靠程度 {each.reliability}，评分 {each.ballots} 份{one}")

    def _show_rehearsal(self, result: Any) -> None:
        funded = sum(line.awarded for line in result.lines)
        self.stdout.write(f"立项 {funded} 个，{result.awarded:,.2f} 元，剩余 {result.left:,.2f} 元；同分 {len(result.ties)} 份")
        for use in result.usage:
            aside = "" if use.set_aside is None else f"（子额度 {use.set_aside:,.2f}）"
            self.stdout.write(f"  {use.name}{aside}：{use.used:,.2f} 元，{use.awards}/{use.bids} 个")
        for swing in result.swings:
            if swing.flips:
                self.stdout.write(f"  “{swing.criterion}”权重 {swing.percent:+d}%：立项结果改变 {'、'.join(swing.flips)}")

    def _schema(self, *, handbook: bool, **_: Any) -> None:
        from grants.calls.rulebook import handbook as book  # noqa: PLC0415 - as above
        from grants.calls.rulebook import schema  # noqa: PLC0415 - as above

        self.stdout.write(book.handbook() if handbook else schema.as_text(), ending="")

    def _import(self, *, file: str, agency: str, by: str, **_: Any) -> None:
        from grants.calls.services import draft_call  # noqa: PLC0415 - lint and diff need no services
        from grants.people.models import Agency, User  # noqa: PLC0415 - as above

        issuer = Agency.objects.filter(name=agency).first()
        officer = User.objects.filter(username=by).first()
        if issuer is None or officer is None:
            raise CommandError(f"没有{'主办方“' + agency if issuer is None else '账号“' + by}”，请核对名称")
        try:
            call = draft_call(issuer, _read(file), by=officer)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"已导入 {call.code} {call.title}（草稿，规则 {call.rules.rules_hash}）")

    def _export(self, *, code: str, **_: Any) -> None:
        from grants.calls.models import Call  # noqa: PLC0415 - as above
        from grants.calls.services import export_toml  # noqa: PLC0415 - as above

        call = Call.objects.filter(code=code).first()
        if call is None or call.rules_version is None:
            raise CommandError(f"没有编号为 {code}、已有规则的征集")
        self.stdout.write(export_toml(call), ending="")

    def _show(self, problems: list[Problem]) -> None:
        for problem in problems:
            self.stdout.write(str(problem))


def _refuse_figures(rules: CallRules, seed: int | None, bids: int | None, earlier: str | None, experts: int | None) -> None:
    """Options that contradict each other or the rules. Raises CommandError naming the option."""
    from grants.calls.rulebook.expectation import too_few  # noqa: PLC0415 - lint and diff need no rehearsal

    if bids is not None and not 1 <= bids <= MOST_BIDS:
        raise CommandError(f"--bids：应为 1 到 {MOST_BIDS} 的整数，写的是 {bids}")
    if earlier is not None and (seed is not None or bids is not None):
        raise CommandError("--from：用往期的申报时没有虚构的申报，不能再写 --seed 或 --bids")
    if experts is not None and (why := too_few(experts, rules.review.panel.size)):
        raise CommandError(f"--experts：{why}")


def _trial_bids(rules: CallRules, seed: int | None, bids: int | None, earlier: str | None, experts: int | None) -> Earlier:
    """Invented bids, or those of an earlier round. Raises CommandError when there is no such round."""
    from grants.calls.rulebook.expectation import ASSUMED, Agreement  # noqa: PLC0415 - as above
    from grants.calls.rulebook.invented import COUNT, SEED, synthetic  # noqa: PLC0415 - as above
    from grants.calls.rulebook.rehearsal import Earlier, NothingEarlier, recalled  # noqa: PLC0415 - as above

    if earlier is None:
        made = synthetic(rules, seed=SEED if seed is None else seed, count=bids or COUNT, experts=experts)
        return Earlier("", made, Agreement(ASSUMED), 0)
    try:
        return recalled(earlier)
    except NothingEarlier as nothing:
        raise CommandError(f"--from：{nothing}") from nothing
    except DatabaseError as error:
        raise CommandError("数据库还没有建立，往期的申报无从读起：请先运行 manage.py migrate") from error


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"读不了文件 {name}:{error}") from error


def _read(name: str) -> CallRules:
    return toml.loads(_text(name), file=name)


def _problems_of(name: str) -> list[Problem]:
    """Faults of form, or, where there are none, contradictions under the calendar this installation knows."""
    from grants.calls.advice import advice  # noqa: PLC0415 - the calendar reads overrides from the database

    try:
        return [replace(problem, file=name) for problem in advice(_read(name))]
    except RulesInvalid as error:
        return list(error.problems)
    except DatabaseError as error:
        raise CommandError("数据库还没有建立，节假日表无从查起：请先运行 manage.py migrate") from error
