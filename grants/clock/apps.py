from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class ClockConfig(AppConfig):
    name = "grants.clock"
    label = "clock"
    verbose_name = "时钟"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from grants.clock import calendar  # noqa: PLC0415 - models must be loaded first

        for signal in (post_save, post_delete):
            signal.connect(calendar.forget_overrides, sender="clock.WorkdayOverride", dispatch_uid="clock.overrides")
