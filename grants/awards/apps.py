from django.apps import AppConfig


class AwardsConfig(AppConfig):
    name = "grants.awards"
    label = "awards"
    verbose_name = "立项"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register effects; hand up what a call waits for before it is decided, and how an order of bids becomes awards."""
        from grants.awards import signing_tasks, tasks  # noqa: F401, PLC0415 - models must be loaded first
        from grants.awards.counterfactual import funding  # noqa: PLC0415
        from grants.awards.personal import register as keep_people  # noqa: PLC0415
        from grants.awards.rules import every_award_decided  # noqa: PLC0415
        from grants.awards.verifying import kind  # noqa: PLC0415
        from grants.calls.models import Call  # noqa: PLC0415
        from grants.documents.proof import register  # noqa: PLC0415
        from grants.workflow.effects import react  # noqa: PLC0415
        from grants.workflow.machine import guard  # noqa: PLC0415
        from review.analysing import fund_with  # noqa: PLC0415

        keep_people()
        fund_with(funding)
        register(kind())
        guard(Call, "decide", every_award_decided)
        react("call", "decide", "awards.tell_results")
