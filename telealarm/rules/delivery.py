"""What is handed to a transport, and what comes back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OutgoingMail:
    """`id` is the same each time it is tried. `invitation` is a calendar file with its METHOD."""

    id: str
    recipient: str
    from_address: str
    from_name: str
    subject: str
    text: str
    html: str = ""
    invitation: str = ""
    method: str = "REQUEST"
    unsubscribe: str = ""


@dataclass(frozen=True)
class Receipt:
    """The message was taken; `reference` is the taker's own id for it, `said` its words."""

    reference: str = ""
    said: str = ""
