from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "grants.evaluation"
    label = "evaluation"
    verbose_name = "评估"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register effects and predicates, react to awards, and hand conditions up to awards and calls."""
        from grants.awards.models import Award  # noqa: PLC0415 - models must be loaded first
        from grants.calls.facts import add_facts  # noqa: PLC0415
        from grants.calls.models import Call  # noqa: PLC0415
        from grants.evaluation import predicates, tasks  # noqa: F401, PLC0415
        from grants.evaluation.following import past_facts  # noqa: PLC0415
        from grants.evaluation.independence import administers_and_evaluates, is_an_evaluator  # noqa: PLC0415
        from grants.evaluation.rules import every_award_ended, nothing_is_missing  # noqa: PLC0415
        from grants.people.appointments import forbid  # noqa: PLC0415
        from grants.people.factors import also_for  # noqa: PLC0415
        from grants.workflow.effects import react  # noqa: PLC0415
        from grants.workflow.machine import guard  # noqa: PLC0415

        forbid(administers_and_evaluates)
        also_for(is_an_evaluator)
        guard(Award, "close", nothing_is_missing)
        guard(Call, "archive", every_award_ended)
        react("award", "activate", "evaluation.schedule")
        for verb in ("record", "endorse", "approve"):
            react("change", verb, "evaluation.follow_change")
        react("award", "close", "evaluation.after_closing")
        react("award", "terminate", "evaluation.after_termination")
        add_facts(past_facts)
