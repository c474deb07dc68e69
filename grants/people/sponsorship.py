"""挂靠/托管: a registered body signs and holds the account for a group that cannot (domain §3.4). Two signatures."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from grants import clock
from grants.documents.models import StoredFile
from grants.people.journal import enter
from grants.people.models import Organisation, SponsorAgreement, User
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow, NotYou

signs_for_group = may("sign_for", on="organisation")
signs_for_sponsor = may("sign_for", on="sponsor")


def propose_sponsorship(
    group: Organisation,
    sponsor: Organisation,
    *,
    scope: str,
    liability: str,
    valid_from: date,
    valid_to: date,
    by: User,
    file: StoredFile | None = None,
) -> SponsorAgreement:
    """The group's signatory asks; nothing holds until the sponsor's accepts. valid_from, valid_to: Shanghai days, both included.

    Raises NotYou, Invalid (the group is a legal person, the sponsor is not or is unverified, the interval or a text is empty).
    """
    with transaction.atomic():
        role = require(signs_for_group, group, by=by).role
        _refuse_parties(group, sponsor)
        _refuse_terms(scope, liability, valid_from, valid_to)
        agreement = SponsorAgreement.objects.create(
            group=group, sponsor=sponsor, scope=scope.strip(), liability=liability.strip(), file=file,
            valid_from=valid_from, valid_to=valid_to, proposed_by=by, proposed_at=clock.now(),
        )  # fmt: skip
        said = {"sponsor": str(sponsor.pk), "from": valid_from.isoformat(), "to": valid_to.isoformat()}
        files = {"agreement": file.sha256} if file else None
        enter("organisation.sponsorship_proposed", group, by=by, role=role, public=said, files=files)
    return agreement


def accept_sponsorship(agreement: SponsorAgreement, *, by: User) -> SponsorAgreement:
    """The sponsor's signatory accepts; another person than the one who proposed. Raises NotYou, NotNow."""
    with transaction.atomic():
        held = _locked(agreement)
        role = require(signs_for_sponsor, held, by=by).role
        if held.accepted_at is not None:
            raise NotNow(_("这份托管协议已经接受。"), rule="not_accepted")
        if held.proposed_by_id == by.pk:
            raise NotYou(_("托管协议由您代表团队提出，须由托管组织的另一位签署人接受。"), rule="two_signatures")
        if clock.today() > held.valid_to:
            raise NotNow(_("协议期限已过，请重新提出。"), rule="still_valid")
        _refuse_parties(held.group, held.sponsor)
        held.accepted_by, held.accepted_at = by, clock.now()
        held.save(update_fields=["accepted_by", "accepted_at"])
        enter("organisation.sponsorship_accepted", held.group, by=by, role=role, public={"sponsor": str(held.sponsor_id)})
    return held


def end_sponsorship(agreement: SponsorAgreement, *, last_day: date, by: User) -> SponsorAgreement:
    """Either side ends it early; `last_day` (Shanghai) is the last on which it holds. Raises NotYou, Invalid."""
    with transaction.atomic():
        held = _locked(agreement)
        rule = signs_for_group if may("sign_for", on="group").allows(held, by, clock.now()) else signs_for_sponsor
        role = require(rule, held.group if rule is signs_for_group else held, by=by).role
        if not held.valid_from < last_day < held.valid_to or last_day < clock.today():
            sentence = _("提前终止日应在今天之后、原期限之内。")
            raise Invalid(sentence, rule="last_day", problems={"last_day": [sentence]})
        held.valid_to = last_day
        held.save(update_fields=["valid_to"])
        said = {"sponsor": str(held.sponsor_id), "to": last_day.isoformat()}
        enter("organisation.sponsorship_ended", held.group, by=by, role=role, public=said)
    return held


def agreements_on(group: Organisation, day: date) -> QuerySet[SponsorAgreement]:
    """Accepted agreements of a group that hold on `day`, latest acceptance first."""
    rows = SponsorAgreement.objects.filter(group=group, accepted_at__isnull=False, valid_from__lte=day, valid_to__gte=day)
    return rows.select_related("sponsor").order_by("-accepted_at")


def sponsor_on(group: Organisation, day: date) -> Organisation | None:
    """The verified sponsor that signs for `group` on `day`, or None."""
    agreement = agreements_on(group, day).filter(sponsor__state="verified").first()
    return agreement.sponsor if agreement else None


def _locked(agreement: SponsorAgreement) -> SponsorAgreement:
    return SponsorAgreement.objects.select_for_update(of=("self",)).select_related("group", "sponsor").get(pk=agreement.pk)


def _refuse_parties(group: Organisation, sponsor: Organisation) -> None:
    if group.is_legal_person:
        raise _invalid("group", _("本单位是法人，可以自己签约和收款，不需要托管。"))
    if not sponsor.is_legal_person:
        raise _invalid("sponsor", _("托管组织必须是法人单位。"))
    if sponsor.state != "verified":
        raise _invalid("sponsor", _("「%(name)s」还没有通过核验，不能作为托管组织。") % {"name": sponsor})


def _refuse_terms(scope: str, liability: str, valid_from: date, valid_to: date) -> None:
    if not scope.strip():
        raise _invalid("scope", _("请写明托管事项（签约、收款、财务监管等）。"))
    if not liability.strip():
        raise _invalid("liability", _("请写明双方责任。"))
    if valid_to <= valid_from:
        raise _invalid("valid_to", _("期限止应晚于期限起。"))


def _invalid(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, rule=name, problems={name: [sentence]})
