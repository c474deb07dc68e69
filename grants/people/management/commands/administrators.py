"""The three administrators, from the server: how the first ones are made, and the way back when two can no longer meet.

    manage.py administrators                                            who they are
    manage.py administrators appoint system_admin zhang --name 张三      an account if there is none, and the office
    manage.py administrators dismiss zhang                              the office ends, the account stays
    manage.py administrators reset-factors zhang                        lost telephone and lost recovery codes

Everything is written into the ledger as done by the installation itself; whoever can run this can also read the database, so it
gives nobody more than they had. As soon as two administrators are there, use the pages: they need two persons.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import translation

from grants import clock
from grants.people import account_acts, security
from grants.people.appointments import active, appoint, conclude
from grants.people.journal import enter
from grants.people.models import Site, User
from grants.people.roles import ROLES, SITE
from grants.workflow.refusals import Refusal
from grants.workflow.rules import SYSTEM

OFFICES = [role.code for role in ROLES if role.scope == SITE]


class Command(BaseCommand):
    """三类管理员:查看、任命、免去、重设第二重验证(在服务器上)."""

    help = "who administers this site; appoint, dismiss and reset second factors from the server"

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act")
        appoint = acts.add_parser("appoint", help="give an office, opening the account if there is none")
        appoint.add_argument("office", choices=OFFICES)
        appoint.add_argument("username")
        appoint.add_argument("--name", default="", help="the person's name, for a new account")
        appoint.add_argument("--email", default="")
        for act, text in (("dismiss", "end the office"), ("reset-factors", "take the second factors away")):
            acts.add_parser(act, help=text).add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("zh-hans"):
            try:
                getattr(self, f"_{(options['act'] or 'list').replace('-', '_')}")(**options)
            except Refusal as refusal:
                raise CommandError(str(refusal)) from refusal

    def _list(self, **options: Any) -> None:
        for role in ROLES:
            if role.scope == SITE:
                names = [f"{a.user.name} ({a.user.username})" for a in active(role=role.code).select_related("user")]
                self.stdout.write(f"{role.code:<15} {role.name}: {'、'.join(names) or '空缺'}")

    def _appoint(self, *, office: str, username: str, name: str, email: str, **options: Any) -> None:
        with transaction.atomic():
            user = User.objects.filter(username=username).first() or self._open(username, name, email)
            if user.vouched_at is None:
                user.vouched_at = clock.now()
                user.save(update_fields=["vouched_at"])
            appoint(user, office, Site.there(), by=SYSTEM)
        self.stdout.write(f"✓ {user.name} ({username}) → {office}")
        if not user.has_usable_password():
            self.stdout.write(f"首次登录链接(三天内有效,只能用一次):{settings.SITE_URL}{account_acts.welcome_link(user)}")

    def _open(self, username: str, name: str, email: str) -> User:
        user = User(username=username, name=name, email=email, vouched_at=clock.now())
        user.set_unusable_password()
        try:
            user.full_clean(exclude=["password"])
        except ValidationError as wrong:
            raise CommandError("; ".join(f"{field}: {' '.join(said)}" for field, said in wrong.message_dict.items())) from wrong
        user.save(force_insert=True)
        enter("user.open", user, by=SYSTEM, role="system", public={"person": str(user.pseudonym)})
        security.note(security.Kind.OPENED, person=user)
        return user

    def _dismiss(self, *, username: str, **options: Any) -> None:
        user = self._user(username)
        with transaction.atomic():
            for held in active(user=user, scope_kind=SITE).select_related("user"):
                conclude(held, Site.there(), by=SYSTEM, standing="system")
                self.stdout.write(f"✓ {user.name} ({username}): {held.role} 已结束")

    def _reset_factors(self, *, username: str, **options: Any) -> None:
        user = self._user(username)
        with transaction.atomic():
            gone = account_acts.reset_factors(user, by=SYSTEM)
            enter("user.reset_factors", user, by=SYSTEM, role="system", public={"person": str(user.pseudonym), "factors": gone})
        self.stdout.write(f"✓ {user.name} ({username}): 已移除 {gone} 项第二重验证,所有登录已结束")

    def _user(self, username: str) -> User:
        found = User.objects.filter(username=username).first()
        if found is None:
            raise CommandError(f"没有用户 {username}。")
        return found
