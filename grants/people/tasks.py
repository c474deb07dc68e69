"""What follows the registrar's steps: letters to those who sign for the organisation."""

from __future__ import annotations

from django.urls import reverse

from grants.notifications.services import send_all
from grants.people.appointments import active, signatories
from grants.people.models import AccountRequest, Organisation, User
from grants.people.roles import SITE
from grants.workflow.effects import Job, effect

DECIDING = {"system_admin", "security_admin"}


@effect("people.verified")
def verified(job: Job) -> None:
    """告知单位已通过核验"""
    _tell(job, "organisation_verified")


@effect("people.returned")
def returned(job: Job) -> None:
    """告知单位信息被退回"""
    _tell(job, "organisation_returned")


@effect("people.account_verified")
def account_verified(job: Job) -> None:
    """告知单位收款账户已核验"""
    _tell(job, "account_verified")


@effect("people.request_asked")
def request_asked(job: Job) -> None:
    """请另一类管理员复核账号事项"""
    asked = AccountRequest.objects.select_related("asked_by", "person").get(pk=job.object_id)
    others = active(scope_kind=SITE, role__in=DECIDING - {asked.asked_as}).exclude(user__in=(asked.asked_by_id, asked.person_id))
    readers = User.objects.filter(is_active=True, pk__in=others.values("user_id")).order_by("pk")
    link = reverse("desk:object", args=[asked.kind(), asked.pk])
    send_all(to=readers, template="people/request_asked", context={"asked": asked}, key=job.key, link=link)


@effect("people.request_done")
def request_done(job: Job) -> None:
    """告知本人账号事项已办理"""
    asked = AccountRequest.objects.select_related("person").get(pk=job.object_id)
    if asked.what == AccountRequest.What.ERASE:
        return  # nobody is left who could read it, and a letter would write the name down again
    send_all(to=[asked.person], template="people/request_done", context={"asked": asked}, key=job.key, link=reverse("people:visits"))


def _tell(job: Job, template: str) -> None:
    organisation = Organisation.objects.select_related("registrar").get(pk=job.object_id)
    link = reverse("desk:object", args=[organisation.kind(), organisation.pk])
    context = {"organisation": organisation}
    send_all(to=signatories(organisation), template=template, context=context, key=job.key, link=link)
