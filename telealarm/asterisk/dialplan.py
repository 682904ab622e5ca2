"""The places in dialplan/telealarm.conf that calls are sent to."""

# Where it takes whoever has answered a call of ours.
CONTEXT, EXTENSION, APOLOGY = "telealarm-out", "s", "T"

# The doors: by the first argument of Stasis, the context that a caller comes in by.
DOORS = {"callback": "telealarm-callback", "wakeup": "telealarm-wakeup"}
# The time limit that the dialplan gives a channel as it enters Stasis.
ENTRY_SECONDS = 15.0
