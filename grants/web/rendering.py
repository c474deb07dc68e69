"""How Django forms become markup of the design system: `{{ form }}`, `{% field form.name %}`, `{% form_errors form %}`.

Django 5.2 gives every control its `aria-describedby` (hint `<id>_helptext`, error `<id>_error`) and `aria-invalid`; the templates
use the same ids, so labels, hints and errors are read out in order.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates, TemplatesSetting
from django.utils.safestring import SafeString

CLASSES = {"select": "govuk-select", "textarea": "govuk-textarea", "file": "govuk-file-upload", "input": "govuk-input"}
GROUPS = ("radios", "checkboxes")


class GovukRenderer(TemplatesSetting):
    """Whole forms and fields from our templates, single widgets from Django's own."""

    form_template_name = "web/forms/form.html"
    field_template_name = "web/forms/field.html"
    formset_template_name = "web/forms/formset.html"
    _widgets = DjangoTemplates()

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("django/forms/"):
            return self._widgets.get_template(template_name)
        return super().get_template(template_name)


def kind_of(bound: BoundField) -> str:
    """Which markup a field needs: radios | checkboxes | checkbox | select | textarea | file | several | input."""
    widget = bound.field.widget
    for kind, types in _KINDS:
        if isinstance(widget, types):
            return kind
    return "input"


_KINDS: tuple[tuple[str, type[forms.Widget] | tuple[type[forms.Widget], ...]], ...] = (
    ("checkboxes", forms.CheckboxSelectMultiple),
    ("radios", forms.RadioSelect),
    ("checkbox", forms.CheckboxInput),
    ("select", forms.Select),
    ("textarea", forms.Textarea),
    ("file", forms.FileInput),
    ("several", forms.MultiWidget),
)


def control(bound: BoundField) -> SafeString:
    """The widget itself with the library's classes; classes that the form gives (widths) are kept."""
    kind = kind_of(bound)
    base = CLASSES.get(kind, "govuk-input")
    own = str(bound.field.widget.attrs.get("class", ""))
    error = f"{base}--error" if bound.errors else ""
    return bound.as_widget(attrs={"class": " ".join(filter(None, [base, error, own]))})


def is_group(bound: BoundField) -> bool:
    """Whether the field is several controls under one legend instead of one under a label."""
    return kind_of(bound) in GROUPS
