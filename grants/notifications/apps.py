from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "grants.notifications"
    label = "notifications"
    verbose_name = "通知"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Channels beside mail, as LETTER_CHANNELS says."""
        from django.conf import settings  # noqa: PLC0415 - Django asks for apps before settings

        from grants.notifications.channels import set_up  # noqa: PLC0415 - needs the mail classes

        set_up(settings.LETTER_CHANNELS, settings.GONGCHUANG_HOME / "letters")
