"""The places in dialplan/telealarm.conf that calls are sent to."""

# Where it takes whoever has answered a call of ours.
CONTEXT, EXTENSION, APOLOGY = "telealarm-out", "s", "T"
