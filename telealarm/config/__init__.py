"""The configuration: a typed model, and the reader of its file."""

from telealarm import zone_data

# Before the first zone is read, in every program of ours.
zone_data.use_newest()
