"""The lab: a real Asterisk, SIP phones, an SMS gateway and TeleAlarm itself, on 127.0.0.1."""
