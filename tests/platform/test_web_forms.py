"""Forms of the design system: every control has a name, its hint and error are announced, every error leads to its control."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.template import Context, Template

from grants.web.fields import DayField, YuanField
from grants.web.masking import mask_bank, mask_id, mask_name, mask_phone
from grants.web.samples import Example


class Page(HTMLParser):
    """All tags with their attributes, and the ids on the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.ids = [attrs["id"] for _tag, attrs in self.tags if "id" in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.tags if tag in names]


def wrong() -> Example:
    return Example({"amount": "150000.01", "starts_on": "昨天"}, {})


@pytest.fixture(params=["empty", "wrong"])
def page(request: pytest.FixtureRequest) -> Page:
    return Page(str(Example() if request.param == "empty" else wrong()))


def test_every_control_has_a_label_and_ids_are_unique(page: Page) -> None:
    labelled = [attrs["for"] for attrs in page.all("label")]
    controls = [attrs for attrs in page.all("input", "select", "textarea") if attrs.get("type") != "hidden"]
    assert len(controls) == 13  # 9 fields, of which two are groups of three
    assert all(labelled.count(attrs["id"]) == 1 for attrs in controls)
    assert len(page.ids) == len(set(page.ids))


def test_every_description_points_to_text_on_the_page(page: Page) -> None:
    described = [
        attrs["aria-describedby"] for attrs in page.all("input", "select", "textarea", "fieldset") if "aria-describedby" in attrs
    ]
    assert len(described) >= 4
    assert all(target in page.ids for ids in described for target in ids.split())


def test_every_error_is_linked_to_its_control_and_marked_in_words() -> None:
    page, html = Page(str(wrong())), str(wrong())
    links = [attrs["href"] for attrs in page.all("a")]
    assert len(links) == len(wrong().errors) == 8
    assert all(link.removeprefix("#") in page.ids for link in links)
    assert html.count("错误：") == 8
    assert 'role="alert"' in html


def test_a_control_in_error_is_announced_as_invalid_with_its_sentence() -> None:
    amount = next(attrs for attrs in Page(str(wrong())).all("input") if attrs.get("name") == "amount")
    assert amount["aria-invalid"] == "true"
    assert amount["aria-describedby"].split() == ["id_amount_helptext", "id_amount_error"]
    assert "govuk-input--error" in amount["class"]
    assert "govuk-input--width-10" in amount["class"]
    assert amount["value"] == "150000.01"


def test_a_form_without_errors_shows_no_summary() -> None:
    assert "govuk-error-summary" not in str(Example())
    assert Template("{% load web_tags %}{% form_errors form %}").render(Context({"form": Example()})) == ""


def test_optional_fields_say_so_and_required_ones_do_not() -> None:
    assert str(Example()).count("选填") == 1


class Hostile(forms.Form):
    name = forms.CharField(label="<b>名称</b>", help_text="<script>1</script>", initial='"><script>2</script>')
    pick = forms.ChoiceField(label="选", widget=forms.RadioSelect, choices=[('"><i>', "<i>斜</i>")])


def test_labels_hints_values_and_choices_are_escaped() -> None:
    html = str(Hostile())
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html


class Whole(forms.Form):
    secret = forms.CharField(widget=forms.HiddenInput, initial="x")
    start = forms.CharField()

    def clean(self) -> None:
        raise ValidationError("两项之和超过上限。")


def test_hidden_fields_and_errors_of_the_whole_form_are_there() -> None:
    html = str(Whole({"secret": "x", "start": "1"}))
    assert '<input type="hidden" name="secret" value="x"' in html
    assert "两项之和超过上限。" in html


@pytest.mark.parametrize("typed", ["150000", "150,000.00", "１５０，０００．００", " ¥150,000 元", "￥150 000"])
def test_amounts_are_read_as_people_type_them(typed: str) -> None:
    found = YuanField().clean(typed)
    assert found == Decimal("150000.00")
    assert str(found) == "150000.00"


@pytest.mark.parametrize("typed", ["0.001", "-1", "壹拾", "1e3", "NaN", "9999999999999", ""])
def test_what_is_no_amount_is_refused_not_rounded(typed: str) -> None:
    with pytest.raises(ValidationError):
        YuanField().clean(typed)


def test_a_float_is_never_an_amount() -> None:
    with pytest.raises(ValidationError):
        YuanField().clean(0.1)


def test_an_amount_over_the_limit_names_the_limit() -> None:
    with pytest.raises(ValidationError, match=r"不能超过 100\.00 元"):
        YuanField(max_value=Decimal("100.00")).clean("100.01")


@pytest.mark.parametrize("typed", ["2026-09-30", "2026年9月30日", "2026.9.30", "2026/9/30", "２０２６年９月３０日"])
def test_days_are_read_as_people_write_them(typed: str) -> None:
    assert DayField().clean(typed) == dt.date(2026, 9, 30)


@pytest.mark.parametrize("typed", ["2026-02-30", "9月30日", "30/9/2026"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        DayField().clean(typed)


def test_personal_and_bank_numbers_are_masked() -> None:
    assert mask_phone("138 1234 5678") == "138****5678"
    assert mask_id("320102199001011234") == "320***********1234"
    assert mask_bank("6222 0212 3456 7890 123") == "***************0123"
    assert [mask_name(name) for name in ("张三", "张小明", "欧阳喆", "欧阳", "张", "")] == [
        "张*",
        "张**",
        "欧阳*",
        "欧*",
        "张*",
        "",
    ]


@pytest.mark.parametrize("mask", [mask_phone, mask_id, mask_bank])
def test_a_number_too_short_to_hide_anything_is_hidden_whole(mask) -> None:
    assert set(mask("1234")) == {"*"}
