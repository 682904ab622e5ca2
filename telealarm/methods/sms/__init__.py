"""Alarms by SMS: the text, and how a gateway of a provider sends it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from telealarm import i18n, words
from telealarm.config.model import Config
from telealarm.errors import Invalid, TransportError
from telealarm.methods.base import MessageMethod
from telealarm.methods.context import (
    ComposedMessage,
    GatewayContext,
    MessageContext,
    Obstacle,
    OutgoingMessage,
    Transports,
)
from telealarm.methods.sms.provider import OutgoingSms, SmsTransports
from telealarm.methods.sms.providers import providers
from telealarm.rules import phone, placeholders, sms_segments
from telealarm.rules.delivery import Receipt
from telealarm.words import MessageStatus, Words


class Reason(Words):
    """`status_reason` of an alarm by SMS and of its attempts. In the plan it is `why`."""

    NO_SMS_GATEWAY = "no_sms_gateway", "The calendar setting names no SMS gateway."


class TimelineWord(Words):
    """`what` of the rows of an alarm's timeline that are about its SMS."""

    QUEUED = "sms_queued", "An SMS waits to be sent."
    CUT = "sms_cut", "The text is too long for an SMS; its end is not sent."
    NOT_SENT = "sms_not_sent", "An SMS could not be sent; `why` says what to change."
    SENT = "sms_sent", "The gateway took the SMS."
    FAILED = "sms_failed", "The gateway did not take the SMS."
    UNKNOWN = "sms_unknown", "Nobody can tell whether the gateway took the SMS."
    DELIVERED = "sms_delivered", "The gateway reports that the recipient has the SMS."
    UNDELIVERED = "sms_undelivered", "The gateway reports that the SMS did not arrive."


class SmsMethod(MessageMethod):
    """The recipient gets an SMS."""

    number = 2
    name = "sms"
    title = "SMS"
    uses_gateway = True
    template = "sms_template"
    timeline: ClassVar[Mapping[MessageStatus, str]] = {
        MessageStatus.SENT: TimelineWord.SENT,
        MessageStatus.FAILED: TimelineWord.FAILED,
        MessageStatus.UNKNOWN: TimelineWord.UNKNOWN,
    }

    def missed_text(self, language: str | None) -> str:
        return i18n.of(language).written.failure.sms_missed

    def refusal(self, gateway: GatewayContext | None) -> str:
        return "" if gateway else Reason.NO_SMS_GATEWAY

    def obstacle(self, gateway: GatewayContext | None, config: Config) -> Obstacle | None:
        if gateway and not gateway.is_active:
            return Obstacle(words.Reason.GATEWAY_INACTIVE, f"gateway {gateway.name} is inactive")
        return None

    def compose(self, context: MessageContext) -> ComposedMessage:
        if not phone.is_dialable(context.recipient):
            raise Invalid({self.address.field: ["an alarm by SMS needs a phone number"]})
        text = self.text(context.template, context.values, context.language)
        sent = sms_segments.cut(text)
        if sent != text:
            needed = sms_segments.size(text).segments
            why = f"the text needs {needed} segments; {sms_segments.MOST_SEGMENTS} are sent"
            context.note(TimelineWord.CUT, why)
        size = sms_segments.size(sent)
        of_template = context.template["sender_phonenumber"] if context.template else ""
        return ComposedMessage(
            text=sent,
            sender=of_template or own_sender(context.gateway),
            encoding=size.encoding,
            segments=size.segments,
        )

    def text(
        self,
        template: Mapping[str, Any] | None,
        values: Mapping[str, object],
        language: str | None,
    ) -> str:
        """Return the text of an SMS by `template`. It may be too long and is then cut later."""
        text = template["sms_text"] if template else i18n.of(language).written.message.sms
        return placeholders.fill(text, values)

    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        gateway = message.gateway
        provider = providers().get(gateway.kind) if gateway else None
        if gateway is None or provider is None:
            kind = gateway.kind if gateway else "none"
            raise TransportError(
                f"there is no SMS provider {kind}; put its file back into"
                " telealarm/methods/sms/providers"
            )
        sms = OutgoingSms(message.id, message.recipient, message.body.sender, message.body.text)
        reach = SmsTransports(transports.http, transports.ami)
        return await provider.send(sms, gateway.settings, reach)


def own_sender(gateway: GatewayContext | None) -> str:
    """Return the sender of an SMS if its template names none."""
    return str(gateway.settings.get("sender", "")) if gateway else ""


METHOD = SmsMethod()
