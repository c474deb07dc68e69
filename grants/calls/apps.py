from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "grants.calls"
    label = "calls"
    verbose_name = "征集"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the stage's effects."""
        from grants.calls import tasks  # noqa: F401, PLC0415 - models must be loaded first
