"""A small typed client of Asterisk's REST interface, with the names of ari-py."""

from telealarm.asterisk.ari.channel import Channel, EventQueue, Playback
from telealarm.asterisk.ari.client import Client
from telealarm.asterisk.ari.events import AriEvent

__all__ = ["AriEvent", "Channel", "Client", "EventQueue", "Playback"]
