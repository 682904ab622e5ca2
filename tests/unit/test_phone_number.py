"""Phone numbers are read rightly, or refused with a sentence; none is changed into another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.rules import phone_number
from telealarm.rules.phone_number import PhoneNumber, read, tidy

SPAIN = "+34600100200"
LONDON = "+442079460000"


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        # With a country code, no region is needed.
        ("+34600100200", None, SPAIN),
        ("+34 600 100 200", "US", SPAIN),
        ("+34 (600) 10-02.00", None, SPAIN),
        ("+34.600.100.200", None, SPAIN),
        ("(+34) 600 100 200", None, SPAIN),
        ("( +34 )600100200", None, SPAIN),
        ("+34600100200.0", None, SPAIN),
        ("+34 600 100 200.0", None, SPAIN),
        ("'+34600100200", None, SPAIN),
        # The trunk prefix is not dialled behind a country code. Italy has none: its 0 is dialled.
        ("+44 (0)20 7946 0000", None, LONDON),
        ("+44(0)2079460000", "ES", LONDON),
        ("+44 020 7946 0000", None, LONDON),
        ("+49 (0) 30/12345678", None, "+493012345678"),
        ("+39 02 1234 5678", None, "+390212345678"),
        ("+39 (0)2 12345678", None, "+390212345678"),
        ("+36 (06) 20 123 4567", None, "+36201234567"),
        # Numbers that exist in examples alone are possible.
        ("+44 7700 900123", None, "+447700900123"),
        ("+1 (555) 010-2030", None, "+15550102030"),
        # Satellites and other networks without a country.
        ("+881 6 1234 5678", None, "+881612345678"),
        ("+800 1234 5678", None, "+80012345678"),
        # As spreadsheets and contacts paste them.
        ("\u202a+34 600 100 200\u202c", None, SPAIN),
        ("+34\u00a0600\u202f100\u2009200", None, SPAIN),
        ("\ufeff+34600100200\u200b", None, SPAIN),
        ("+34\u2011600\u2013100\u2212200", None, SPAIN),
        ("\uff0b\uff13\uff14\uff16\uff10\uff10\uff11\uff10\uff10\uff12\uff10\uff10", None, SPAIN),
        ("+\u0663\u0664\u0666\u0660\u0660\u0661\u0660\u0660\u0662\u0660\u0660", None, SPAIN),
        # RFC 3966.
        ("tel:+34-600-100-200", None, SPAIN),
        ("TEL:+34600100200", None, SPAIN),
        ("tel:600100200;phone-context=+34", None, SPAIN),
        ("tel:600100200;phone-context=example.com", "ES", SPAIN),
        # With a region.
        ("600100200", "ES", SPAIN),
        ("600 100 200", "ES", SPAIN),
        ("600.100.200", "ES", SPAIN),
        ("600-10-02-00", "ES", SPAIN),
        ("600100200.0", "ES", SPAIN),
        ("600100200,0", "ES", SPAIN),
        ("34600100200", "ES", SPAIN),
        ("34600100200.0", "ES", SPAIN),
        ("34 600 100 200", "ES", SPAIN),
        ("0034 600 100 200", "ES", SPAIN),
        ("00 34 600100200", "ES", SPAIN),
        (
            "\u0660\u0660\u0663\u0664\u0666\u0660\u0660\u0661\u0660\u0660\u0662\u0660\u0660",
            "ES",
            SPAIN,
        ),
        ("011 34 600 100 200", "US", SPAIN),
        ("0034 600 100 200", "US", SPAIN),
        ("00442079460000", "ES", LONDON),
        ("0044 (0)20 7946 0000", "ES", LONDON),
        ("020 7946 0000", "GB", LONDON),
        ("(0)20 7946 0000", "GB", LONDON),
        ("44 (0)20 7946 0000", "GB", LONDON),
        ("07700 900123", "GB", "+447700900123"),
        ("02 1234 5678", "IT", "+390212345678"),
        ("030/12345678", "DE", "+493012345678"),
        ("030 123456-0", "DE", "+49301234560"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("1-650-253-0000", "US", "+16502530000"),
        ("650.253.0000", "US", "+16502530000"),
        ("(555) 010-2030", "US", "+15550102030"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("02/123.45.67", "BE", "+3221234567"),
        ("0475/12.34.56", "BE", "+32475123456"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("123 456", "AD", "+376123456"),
        ("321000", "GL", "+299321000"),
    ],
)
def test_a_number_is_read(text: str, region: str | None, e164: str) -> None:
    number = read(text, region)
    assert number.e164 == number.outgoing == e164
    assert read(number.written, region).e164 == e164
    assert read(tidy(text), region) == number


@pytest.mark.parametrize(
    ("text", "region", "written"),
    [
        # Without a region.
        ("600100200", None, "600100200"),
        ("600 100 200", None, "600100200"),
        ("34600100200.0", None, "34600100200"),
        ("600100200,00", None, "600100200"),
        ("0034 600 100 200", None, "0034600100200"),
        ("0044 (0)20 7946 0000", None, "00442079460000"),
        ("0044 020 7946 0000", None, "00442079460000"),
        ("030/123456", None, "030123456"),
        ("555.1234", None, "5551234"),
        ("15550101", None, "15550101"),
        ("9-51", None, "951"),
        ("600 100", None, "600100"),
        # Extensions and codes stay as they are.
        ("101", None, "101"),
        ("101.0", "ES", "101"),
        ("112", "ES", "112"),
        ("0101", "DE", "0101"),
        ("2001", "DE", "2001"),
        ("1234", "AT", "1234"),
        ("4711", "LU", "4711"),
        ("*98", "ES", "*98"),
        ("#31#600100200", "ES", "#31#600100200"),
        # The region's plan has no such number.
        ("15550101", "ES", "15550101"),
        ("0612345678", "ES", "0612345678"),
        ("34600100200", "FR", "34600100200"),
        ("1234567", "GB", "1234567"),
        ("", "ES", ""),
    ],
)
def test_digits_without_a_plan_stay_as_they_are(
    text: str, region: str | None, written: str
) -> None:
    assert read(text, region) == PhoneNumber(written)
    assert read(written, region) == PhoneNumber(written)


@pytest.mark.parametrize("region", [None, "ES", "US", "DE"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("34600100200.5", "decimal"),
        ("101.5", "decimal"),
        ("600100200.12", "decimal"),
        ("34600100200.001", "decimal"),
        ("600100200,5", "decimal"),
        ("600 100 200.5", "decimal"),
        ("3.46001E+10", "spreadsheet has shortened"),
        ("3,46E+10", "spreadsheet has shortened"),
        ("346e8", "spreadsheet has shortened"),
        ("600 100 200 / 201", "two numbers"),
        ("600100200/600100201", "two numbers"),
        ("+34 600 100 200 / 600 100 201", "two numbers"),
        ("+34600100200/201", "two numbers"),
        ("101/102", "two numbers"),
        ("600100/600101", "two numbers"),
        ("600100200, 600100201", "two numbers"),
        ("600100200;600100201", "two numbers"),
        ("600100200 o 600100201", "two numbers"),
        ("600100200 or 600100201", "two numbers"),
        ("600100200 600100201", "two numbers"),
        ("600100200-600100201", "two numbers"),
        ("600100200 201", "two numbers"),
        ("600100200-201", "two numbers"),
        ("101-102", "two numbers"),
        ("34,600,100,200", "two numbers"),
        ("600100200600100201", "too long"),
        ("600 100 200 600 100 201", "too long"),
        ("600;rm", "digits with an optional leading +"),
        ("600x", "digits with an optional leading +"),
        ("B2", "digits with an optional leading +"),
        ("1-800-FLOWERS", "digits with an optional leading +"),
        ("${EVAL}", "digits with an optional leading +"),
        ("sip:600@example.com", "digits with an optional leading +"),
        ("=34600100200", "digits with an optional leading +"),
        ("600100200\N{SUPERSCRIPT ONE}", "digits with an optional leading +"),
        ("600\n100", "two numbers"),
        ("+", "digits with an optional leading +"),
        ("()", "digits with an optional leading +"),
        ("34+600", "digits with an optional leading +"),
        ("++34600100200", "digits with an optional leading +"),
        ("+34600100200#", "digits with an optional leading +"),
        ("600100200 x123", "extension"),
        ("600100200 ext. 12", "extension"),
        ("+34600100200x1", "extension"),
        ("tel:+34600100200;ext=12", "extension"),
        ("+34 34600100200", "too long for a number of +34"),
        ("+3400881234567", "too long for a number of +34"),
        ("+34112", "too short for a number of +34"),
        ("+15550101", "too short for a number of +1"),
        ("+34600", "too short"),
        ("+0034600100200", "no country code"),
        ("+999123456789", "no country code"),
        ("+49000881234567", "has a 0 behind"),
        ("+4900881234567", "has a 0 behind"),
    ],
)
def test_what_is_no_number_is_refused(text: str, why: str, region: str | None) -> None:
    with pytest.raises(ValueError, match=why.replace("+", r"\+").replace("$", r"\$")):
        read(text, region)


def test_a_country_code_without_plus_needs_its_region() -> None:
    with pytest.raises(ValueError, match="write the number with \\+"):
        read("44 (0)20 7946 0000", None)


def test_regions_are_those_with_a_plan() -> None:
    assert phone_number.is_region("ES")
    assert not phone_number.is_region("es")
    assert not phone_number.is_region("001")
    assert not phone_number.is_region("Spain")


@given(
    st.text("0123456789 +-./()#*x,\u202a\u00a0\uff10\u0663", max_size=30),
    st.sampled_from([None, "ES", "GB", "US", "DE", "IT", "AR", "GL"]),
)
def test_any_text_is_refused_or_read_the_same_twice(text: str, region: str | None) -> None:
    try:
        number = read(text, region)
    except ValueError:
        return
    assert read(tidy(text), region) == number
    again = read(number.written, region)
    assert again.outgoing == number.outgoing
