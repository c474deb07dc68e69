from __future__ import annotations

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    label = "review"
    verbose_name = "评审"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from grants.people.appointments import forbid  # noqa: PLC0415 - models are ready only now
        from grants.people.factors import also_for  # noqa: PLC0415
        from review import tasks  # noqa: F401, PLC0415 - registers the effects
        from review.duties import administers_and_judges, is_an_expert, sits_on_a_panel  # noqa: PLC0415
        from review.personal import register  # noqa: PLC0415

        register()
        forbid(sits_on_a_panel)
        forbid(administers_and_judges)
        also_for(is_an_expert)
