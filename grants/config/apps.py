from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "grants.config"
    label = "config"
    verbose_name = "配置"

    def ready(self) -> None:
        """Register the start-up checks and make the Celery application the one that `shared_task` finds."""
        from grants.config import celery, checks, signing_checks  # noqa: F401, PLC0415 - registering is the import's purpose
