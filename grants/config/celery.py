"""The Celery application. With an empty `CELERY_BROKER_URL` nothing is ever sent: `manage.py worker` drains the outbox."""

from __future__ import annotations

import os
from typing import Any

import django
from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")

app = Celery("gongchuang")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _refuse_unsafe_start(**_: Any) -> None:
    """A worker of an unsafe installation is as unsafe as its pages. Celery swallows exceptions here, but not an exit."""
    from grants.config.checks import refuse_unsafe_start  # noqa: PLC0415 - needs Django set up

    django.setup()
    try:
        refuse_unsafe_start()
    except ImproperlyConfigured as refusal:
        raise SystemExit(str(refusal)) from refusal
