from django.apps import AppConfig


class BiddingConfig(AppConfig):
    name = "bidding"
    label = "bidding"
    verbose_name = "投标"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the effects, and what bids do when their call moves."""
        from bidding import bulk, seal_tasks, tasks  # noqa: F401, PLC0415 - effects register themselves
        from bidding.formats import reads  # noqa: PLC0415
        from bidding.personal import register  # noqa: PLC0415
        from bidding.seal_rules import seal_is_ready  # noqa: PLC0415
        from bidding.sealing.sheet import FORM  # noqa: PLC0415
        from grants.calls.models import Call  # noqa: PLC0415
        from grants.workflow.effects import react  # noqa: PLC0415
        from grants.workflow.machine import guard  # noqa: PLC0415

        register()
        reads(FORM, "bidding.sealed_form.write")
        guard(Call, "open", seal_is_ready)

        react("call", "close", "bidding.settle")
        react("call", "amend", "bidding.tell_addendum")
        react("call", "extend", "bidding.tell_extension")
        react("call", "give_back", "bidding.tell_extension")
        react("call", "cancel", "bidding.tell_cancellation")
