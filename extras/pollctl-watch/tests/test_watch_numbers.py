"""Numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollctl_watch.client.numbers import number_in


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234,50 €", "1234.5 €"),
        ("$1,234.50", "1234.5 $"),
        ("1 234", "1234"),
        ("1\u00a0234,5 kg", "1234.5 kg"),
        ("12\u202f345\u202f678.9", "12345678.9"),
        ("1’234.50 CHF", "1234.5 CHF"),
        ("Preis: 1.099,- €", "1099"),
        ("-5 °C", "-5 °C"),
        ("−3,2%", "-3.2 %"),
        ("-$5", "-5 $"),
        ("USD 800", "800 USD"),
        ("EUR800", "800 EUR"),
        ("1,234", "1234"),
        ("1.234.567", "1234567"),
        ("1,23,456.7", "123456.7"),
        ("0,123", "0.123"),
        ("3.14159", "3.14159"),
        ("10-20 people", "10"),
        ("2026.03.02", "2026"),
        ("2024 100", "2024"),
        ("v1.2 costs 3", "3"),
        ("iPhone15: 799 €", "799 €"),
        ("it is 7.", "7"),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, number: str) -> None:
    assert str(number_in(text)) == number


@pytest.mark.parametrize("text", ["", "sold out", "A4", "€"])
def test_a_text_may_have_none(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize(("decimal", "value"), [("", 1234), (",", 1234), (".", 1.234)])
def test_which_sign_is_before_decimals_can_be_said(decimal: str, value: float) -> None:
    number = number_in("1.234", decimal)
    assert number is not None
    assert number.value == value


@given(st.integers(0, 10**12), st.integers(0, 99), st.sampled_from([(",", "."), (".", ","), (" ", ","), ("’", ".")]))
def test_every_way_of_grouping_reads_the_same(whole: int, cents: int, signs: tuple[str, str]) -> None:
    group, decimal = signs
    number = number_in(f"{whole:,}".replace(",", group) + f"{decimal}{cents:02}")
    assert number is not None
    assert number.value == float(f"{whole}.{cents:02}")


@given(st.text(max_size=60))
def test_any_text_is_read_or_has_no_number(text: str) -> None:
    number_in(text)
