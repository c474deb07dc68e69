from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "grants.funding"
    label = "funding"
    verbose_name = "拨付"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register effects, and react to what happens upstream."""
        from grants.funding import bulk, tasks  # noqa: F401, PLC0415 - models must be loaded first
        from grants.workflow.effects import react  # noqa: PLC0415

        react("call", "publish", "funding.set_up_sources")
        react("award", "activate", "funding.plan")
