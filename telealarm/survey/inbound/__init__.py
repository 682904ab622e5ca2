"""Inbound doors: callers reach them through the dialplan, for a survey or for an order."""
