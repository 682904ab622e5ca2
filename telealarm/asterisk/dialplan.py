"""The places in dialplan/telealarm.conf that calls are sent to."""

# Where it takes whoever has answered a call of ours.
CONTEXT, EXTENSION, APOLOGY = "telealarm-out", "s", "T"
# The time limit that the dialplan gives a channel as it enters Stasis.
ENTRY_SECONDS = 15.0
