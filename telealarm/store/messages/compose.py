"""The content of a message: its method writes it, from the values of its alarm and its event."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from telealarm import methods
from telealarm.config.model import Config
from telealarm.methods.base import Address, MessageMethod
from telealarm.methods.context import (
    ComposedMessage,
    EventContext,
    GatewayContext,
    MessageContext,
    Obstacle,
)
from telealarm.models import Alarm, BaseModel, Event, Installation, SmsGateway
from telealarm.models.gateway import ACTIVE
from telealarm.rules import phone, signed_links
from telealarm.store import numbers
from telealarm.store.engine import recipients, time_zones
from telealarm.store.engine.timeline import record
from telealarm.store.messages import template_values

# How long the unsubscribe link works.
UNSUBSCRIBE = timedelta(days=365)


@dataclass(frozen=True)
class Composer:
    """Lets the methods write their messages. `config` is that of the service."""

    config: Config = field(default_factory=Config)

    def obstacle(self, method: MessageMethod, gateway: SmsGateway | None) -> Obstacle | None:
        """Return why an attempt by the method must wait; None if it can be made now."""
        return method.obstacle(gateway_context(gateway), self.config)

    def message(self, alarm: Alarm, gateway: SmsGateway | None, now: datetime) -> dict[str, Any]:
        """Return the columns of the alarm's message. Raises Invalid if it cannot be written."""
        context = self.context(alarm, now, gateway)
        composed = methods.of_message(alarm.method).compose(context)
        return columns(alarm, composed, gateway)

    def context(
        self, alarm: Alarm, now: datetime, gateway: SmsGateway | None = None
    ) -> MessageContext:
        """Return the data from which the alarm's method writes a message."""
        name = methods.of_message(alarm.method).template
        values = self.values(alarm, now)
        return MessageContext(
            recipient=alarm.recipient,
            language=recipients.language(alarm),
            values=values,
            template=template_context(getattr(alarm, name)) if name else None,
            gateway=gateway_context(gateway),
            event=self._event(alarm.event),
            unsubscribe_url=str(values["unsubscribe_url"]),
            config=self.config,
            note=partial(record, alarm.id, at=now),
        )

    def values(self, alarm: Alarm, now: datetime) -> dict[str, object]:
        """Return the values of the placeholders. An alarm that is not saved yet has no links."""
        event = alarm.event
        values: dict[str, object] = {
            "alarm_email": alarm.alarm_email,
            **template_values.values(alarm, event, now),
        }
        if alarm.id is not None:
            values |= {
                "confirm_url": self._link("confirm", alarm, event.end),
                "cancel_url": self._link("cancel", alarm, event.end),
                "unsubscribe_url": self._unsubscribe(alarm, now),
            }
        return values

    def _event(self, event: Event) -> EventContext:
        return EventContext(
            uid=f"event-{event.id}@{Installation.get().name}.telealarm",
            title=event.title,
            description=event.description or "",
            start=event.start,
            end=event.end,
            zone=time_zones.of_event(event),
        )

    def _unsubscribe(self, alarm: Alarm, now: datetime) -> str:
        """Return a link for the current recipient. It stays valid if the alarm gets another one."""
        return self._link("unsubscribe", alarm, now + UNSUBSCRIBE, alarm.recipient)

    def _link(self, kind: str, alarm: Alarm, expires: datetime, recipient: str = "") -> str:
        link = signed_links.Link(kind, alarm.id, expires, recipient)
        token = signed_links.token(Installation.get().secret, link)
        return f"{self.config.public_url}/links/{token}"


def columns(
    alarm: Alarm, composed: ComposedMessage, gateway: SmsGateway | None = None
) -> dict[str, Any]:
    """Return the columns of a message to the recipient of `alarm`."""
    by_phone = methods.of(alarm.method).address is Address.PHONE
    recipient = numbers.of_alarm(alarm).outgoing if by_phone else alarm.recipient
    is_invited = composed.invitation is not None
    return {
        **asdict(composed),
        "method": alarm.method,
        "gateway": gateway,
        "recipient": recipient,
        "tail": phone.tail(recipient) if by_phone else "",
        "starts": alarm.event.start if is_invited else None,
        "ends": alarm.event.end if is_invited else None,
    }


def gateway_context(gateway: SmsGateway | None) -> GatewayContext | None:
    """Return what a method needs to know about its gateway."""
    if gateway is None:
        return None
    return GatewayContext(
        name=gateway.name,
        kind=gateway.kind,
        settings=gateway.settings,
        is_active=gateway.status == ACTIVE,
    )


def template_context(template: BaseModel | None) -> dict[str, Any] | None:
    """Return the columns of a template by name."""
    return None if template is None else dict(template.__data__)
