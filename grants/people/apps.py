from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "grants.people"
    label = "people"
    verbose_name = "主体"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the stage's effects and what listens to signing in."""
        from grants.people import accounts, erasing, tasks, triggers, visits  # noqa: F401, PLC0415 - models must be loaded first

        post_migrate.connect(triggers.after_migrate, sender=self, dispatch_uid="people.triggers")
