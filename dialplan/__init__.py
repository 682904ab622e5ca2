"""The dialplan, which `telealarm init` copies to Asterisk."""
