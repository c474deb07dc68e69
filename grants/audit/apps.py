from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "grants.audit"
    label = "audit"
    verbose_name = "审计资料包"

    def ready(self) -> None:
        from grants.audit import packing  # noqa: F401, PLC0415 - registers its kinds of job
