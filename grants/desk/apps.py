from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "grants.desk"
    label = "desk"
    verbose_name = "工作台"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from grants.calls.rulebook.rehearsal import judge_with, recall_with  # noqa: PLC0415 - apps are loaded first
        from grants.desk import menu, pack, rehearsing  # noqa: F401, PLC0415 - menu listens to sign-ins; pack registers its kind of job

        judge_with(rehearsing.judge)
        recall_with(rehearsing.recall)
        from grants.desk.speaking import patterns  # noqa: PLC0415 - as above
        from grants.web.speaking import speaks  # noqa: PLC0415 - as above

        speaks(patterns)
        from grants.desk.evidence.kinds import every  # noqa: PLC0415 - as above
        from grants.documents.proof import register  # noqa: PLC0415 - as above

        for kind in reversed(list(every())):
            register(kind, particular=True)
