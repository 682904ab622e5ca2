"""Phone numbers as rows hold them: as written, and in E.164 form."""

from collections.abc import Mapping
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import Alarm, CalendarSetting, Gateway
from telealarm.rules import phone, phone_number
from telealarm.rules.dial_route import Route
from telealarm.rules.phone_number import PhoneNumber
from telealarm.store.engine import regions

# The fields that hold a number as written, and those that hold its E.164 form.
OF_ALARM = {
    "alarm_phonenumber": "alarm_e164",
    "phonenumber_transfer": "transfer_e164",
    "phonenumber_sms_failure": "sms_failure_e164",
}
OF_SETTING = {"failure_phonenumber": "failure_e164"}
OF_CONTACT = {"phone_number": "e164"}


def read(field: str, text: str, region: str | None) -> PhoneNumber:
    """Return the number of `text`. Raises Invalid on `field`."""
    try:
        return phone_number.read(text, region)
    except ValueError as error:
        raise Invalid({field: [str(error)]}) from None


def known(text: str, region: str | None) -> PhoneNumber:
    """Return the number of a text that came from a network or is stored, which may be no number."""
    try:
        return phone_number.read(text, region)
    except ValueError:
        return PhoneNumber(phone.clean(text))


def columns(
    values: Mapping[str, Any], fields: Mapping[str, str], region: str | None
) -> dict[str, Any]:
    """Return `values` with each number read, and with its E.164 form. Raises Invalid.

    `fields` names the number fields and the columns of their E.164 forms.
    """
    read_values = dict(values)
    errors: dict[str, list[str]] = {}
    for name in fields.keys() & values.keys():
        try:
            number = phone_number.read(values[name] or "", region)
        except ValueError as error:
            errors[name] = [str(error)]
            continue
        read_values[name] = number.written or values[name]
        read_values[fields[name]] = number.e164 or None
    if errors:
        raise Invalid(errors)
    return read_values


def of_alarm(alarm: Alarm, field: str = "alarm_phonenumber") -> PhoneNumber:
    """Return a number of the alarm."""
    return PhoneNumber(getattr(alarm, field), getattr(alarm, OF_ALARM[field]) or "")


def of_failure(setting: CalendarSetting) -> PhoneNumber:
    """Return the number to call after a failure. It may be empty."""
    return PhoneNumber(setting.failure_phonenumber or "", setting.failure_e164 or "")


def route(gateway: Gateway, setting: CalendarSetting | None) -> Route:
    """Return how the gateway dials numbers for a calendar setting."""
    return Route(
        name=gateway.name,
        removeprefix=gateway.removeprefix,
        addprefix=gateway.addprefix,
        pattern=gateway.number_pattern,
        prefixes=gateway.allowed_prefixes,
        region=regions.of_gateway(gateway, setting),
        extensions=gateway.extensions,
    )


def spellings(number: PhoneNumber) -> set[str]:
    """Return what may stand in a row for this number: as written, and with 00 or +."""
    forms = {number.written, number.outgoing}
    return {one for form in forms for one in phone.spellings(form)}
