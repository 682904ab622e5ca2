"""Senders: `async send(message) -> receipt`, or TransportError. They know nothing of alarms."""
