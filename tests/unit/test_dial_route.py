"""Which numbers a gateway dials: what counts is the number as it leaves."""

import pytest

from telealarm.rules.dial_route import Route
from telealarm.rules.phone_number import PhoneNumber, read

SPAIN = "+34600100200"


def raw(text: str) -> PhoneNumber:
    """A number of an old row that nobody has read."""
    return PhoneNumber(text, text if text.startswith("+") else "")


@pytest.mark.parametrize(
    ("route", "text", "region", "dialled"),
    [
        (Route(), SPAIN, None, SPAIN),
        (Route(removeprefix="+34"), SPAIN, None, "600100200"),
        (Route(removeprefix="+34", addprefix="9"), SPAIN, None, "9600100200"),
        (Route(removeprefix="+", addprefix="00"), SPAIN, None, "0034600100200"),
        (Route(), "600 100 200", "ES", SPAIN),
        (Route(removeprefix="+34"), "600 100 200", "ES", "600100200"),
        (Route(), "600 100 200", None, "600100200"),
        (Route(addprefix="34"), "600 100 200", None, "34600100200"),
        (Route(), "0034 600 100 200", None, "0034600100200"),
        (Route(), "101", "ES", "101"),
    ],
)
def test_a_number_leaves_in_e164_or_as_it_is_written(
    route: Route, text: str, region: str | None, dialled: str
) -> None:
    number = read(text, region)
    assert route.dialled(number) == dialled
    assert not route.unwanted(number)


@pytest.mark.parametrize(
    ("route", "number"),
    [
        (Route(prefixes=["+34"]), raw(SPAIN)),
        (Route(prefixes=["+34"], removeprefix="+34"), raw(SPAIN)),
        (Route(prefixes=["+34"], removeprefix="+34", region="ES"), raw(SPAIN)),
        (Route(prefixes=["+34"], removeprefix="+", addprefix="00"), raw(SPAIN)),
        (Route(prefixes=["0034"], removeprefix="00"), read("0034600100200", None)),
        (Route(prefixes=["34"], addprefix="00"), read("34600100200", None)),
        (Route(prefixes=["34"], removeprefix="34"), read("34600100200", None)),
        (Route(prefixes=["6"], addprefix="34"), read("600100200", None)),
        (Route(prefixes=["6"]), read("600100200", "ES")),
        (Route(prefixes=["+34"]), read("600100200", "ES")),
        (Route(prefixes=["600"]), read("600100200", None)),
        (Route(pattern=r"[67][0-9]{8}"), read("600100200", "ES")),
        (Route(pattern=r"\+34[0-9]{9}", removeprefix="+34"), raw(SPAIN)),
        (Route(prefixes=["+39"], removeprefix="+39"), read("+39 011 234 5678", None)),
    ],
)
def test_an_allowed_number_is_taken(route: Route, number: PhoneNumber) -> None:
    assert route.takes(number), route.unwanted(number)


@pytest.mark.parametrize(
    ("route", "number"),
    [
        # The change makes a foreign number of it.
        (Route(prefixes=["+34"], removeprefix="+34"), raw("+3400881234567")),
        (Route(prefixes=["+34"], removeprefix="+34", addprefix="9"), raw("+3400881234567")),
        (Route(prefixes=["34"], removeprefix="34"), raw("3400881234567")),
        (Route(prefixes=["+1"], removeprefix="+1", region="US"), raw("+101144207946000")),
        (Route(prefixes=["+49"], removeprefix="+49"), raw("+4900881234567")),
        (Route(prefixes=["1"], removeprefix="1", addprefix="+"), raw("1881234567890")),
        # Neither the number nor what is dialled is allowed.
        (Route(prefixes=["+34"]), raw("+33612345678")),
        (Route(prefixes=["+34"]), read("600100200", None)),
        (Route(prefixes=["7"]), read("600100200", None)),
        (Route(pattern=r"[67][0-9]{8}"), raw("+33612345678")),
        (Route(), raw("abc")),
        (Route(addprefix="0034"), raw(SPAIN)),
    ],
)
def test_another_number_is_not_taken(route: Route, number: PhoneNumber) -> None:
    assert route.unwanted(number)
    assert not route.takes(number)


@pytest.mark.parametrize(
    ("route", "number", "emergency"),
    [
        (Route(), raw("112"), "112"),
        (Route(), raw("911"), "911"),
        (Route(region="ES"), raw("112"), "112"),
        (Route(region="US"), raw("911"), "911"),
        (Route(region="ES"), raw("085"), "085"),
        (Route(region="FR"), raw("15"), "15"),
        (Route(region="ES", removeprefix="+34"), raw("+34112"), "112"),
        (Route(removeprefix="+34"), raw("+34112"), "112"),
        (Route(removeprefix="0034"), raw("0034112"), "112"),
        (Route(removeprefix="34"), raw("34112"), "112"),
        (Route(addprefix="1"), raw("12"), "112"),
        # By the line of a telephone system.
        (Route(addprefix="9"), raw("112"), "112"),
        (Route(removeprefix="+34", addprefix="0"), raw("+34112"), "112"),
        # Networks do not wait for more digits, and know their country code.
        (Route(region="ES"), raw("1120"), "1120"),
        (Route(), raw("+34112"), "+34112"),
        (Route(), raw("0034112"), "0034112"),
        (Route(region="ES"), raw("112#"), "112#"),
    ],
)
def test_an_emergency_number_is_not_taken(
    route: Route, number: PhoneNumber, emergency: str
) -> None:
    assert route.emergency(number) == emergency
    assert not route.takes(number)


@pytest.mark.parametrize(
    ("route", "number"),
    [
        (Route(extensions=True), raw("112")),
        (Route(extensions=True, region="ES"), raw("112")),
        (Route(region="ES"), raw("911")),
        (Route(region="ES"), raw("101")),
        (Route(), raw("600")),
        (Route(), raw("15550101")),
        (Route(), raw(SPAIN)),
        (Route(region="FR", removeprefix="+33"), read("01 55 50 10 10", "FR")),
        (Route(region="FR", removeprefix="+33", addprefix="0"), read("01 55 50 10 10", "FR")),
        (Route(region="US", removeprefix="+1"), read("(911) 555-0100", "US")),
        # A room by the house's direct number.
        (Route(addprefix="+3491555", region="ES"), raw("112")),
    ],
)
def test_other_numbers_are_no_emergency_numbers(route: Route, number: PhoneNumber) -> None:
    assert route.emergency(number) == ""


def test_a_right_counts_for_the_number_that_is_dialled() -> None:
    route = Route(removeprefix="+34")
    assert route.permits(raw(SPAIN), ["+34"])
    assert route.permits(raw(SPAIN), [])
    assert not route.permits(raw("+3400881234567"), ["+34"])
    assert not route.permits(raw("+33612345678"), ["+34"])
    assert Route().permits(read("600100200", "ES"), ["+34"])
    assert Route().permits(read("600100200", "ES"), ["600"])
