"""Alarms by SMS: gateways of several providers."""
