"""The contexts of dialplan/telealarm.conf that calls are sent to."""

# The place for channels of answered outbound calls.
CONTEXT, EXTENSION, APOLOGY = "telealarm-out", "s", "T"

# The inbound doors: from the first argument of Stasis to the context of the caller.
DOORS = {"callback": "telealarm-callback", "wakeup": "telealarm-wakeup"}
# The time limit that the dialplan sets on a channel that enters Stasis.
ENTRY_SECONDS = 15.0
