"""The files that `telealarm init` writes: the configuration, the unit, and Asterisk's files."""
