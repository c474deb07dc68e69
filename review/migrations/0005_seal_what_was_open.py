"""Ballots and drafts that lay in the clear are sealed: those of panels that are not locked, and those that will never be opened.

A handed-in ballot keeps the salt under which the ledger already names it (the words were not committed to). After this, run
`VACUUM` once on SQLite: a database file keeps what was deleted until its pages are written again.
"""

from typing import Any

from django.db import migrations

from grants import clock, vault

LOCKED = ("scored", "concluded")


def seal(apps: Any, schema_editor: Any) -> None:
    for panel in apps.get_model("review", "Panel").objects.order_by("pk").iterator():
        panel.data_key = vault.new_data_key()
        panel.save(update_fields=["data_key"])
        for review in apps.get_model("review", "Review").objects.filter(panel=panel).order_by("pk"):
            _ballot(review, panel)
    for draft in apps.get_model("review", "Draft").objects.select_related("review__panel").order_by("pk").iterator():
        value = {"content": draft.content, "aside": draft.aside}
        draft.sealed = vault.seal(draft.review.panel.data_key, value, about=f"draft:{draft.review_id}:{draft.number}")
        draft.kept_aside = bool(draft.aside)
        draft.save(update_fields=["sealed", "kept_aside"])


def _ballot(review: Any, panel: Any) -> None:
    if panel.state in LOCKED and review.state == "submitted":
        review.opened_at = clock.now()
        review.save(update_fields=["opened_at"])
        return
    if marks := list(review.marks.all()):
        points = {m.criterion: int(m.value * 100) for m in marks}
        words = {m.criterion: [m.comment, m.panel_comment] for m in marks}
        ballot = {"points": points, "words": words, "salt": review.salt, "words_salt": ""}
        review.sealed = vault.seal(panel.data_key, ballot, about=f"ballot:{review.pk}")
        review.marks.all().delete()
    if review.deviation_reason:
        reason = {"salt": review.salt, "reason": review.deviation_reason}
        review.sealed_reason = vault.seal(panel.data_key, reason, about=f"reason:{review.pk}")
    review.salt = review.deviation_reason = ""
    review.save(update_fields=["sealed", "sealed_reason", "salt", "deviation_reason"])


class Migration(migrations.Migration):
    dependencies = [("review", "0004_sealed_ballots")]

    operations = [
        migrations.RunPython(seal, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("draft", "aside"),
        migrations.RemoveField("draft", "content"),
    ]
