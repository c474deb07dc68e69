from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "grants.audit"
    label = "audit"
    verbose_name = "审计资料包"

    def ready(self) -> None:
        from grants.audit import checking, packing, recalling  # noqa: PLC0415 - apps are loaded first; packing registers its kinds of job
        from grants.calls.rulebook.rehearsal import recall_with  # noqa: PLC0415 - as above
        from grants.desk.demo import AFTERWARDS  # noqa: PLC0415 - as above

        AFTERWARDS.append(packing.leave_one)
        recall_with(recalling.recall)
        from grants.documents.proof import register  # noqa: PLC0415 - as above

        register(checking.kind())
