"""Bridges, in which channels hear each other."""

from contextlib import suppress

from telealarm.asterisk.ari.errors import AlreadyExists, NotFound
from telealarm.asterisk.ari.http import Http


class Bridges:
    """`client.bridges`. The caller of a method chooses the id of a bridge."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(self, bridge_id: str) -> None:
        """Create a mixing bridge. A bridge with this id may exist already.

        With `proxy_media` all packets pass through the bridge. Asterisk would otherwise let two
        channels exchange packets directly, and would hear no keys.
        """
        body = {"type": "mixing,dtmf_events,proxy_media", "name": bridge_id}
        with suppress(AlreadyExists):
            await self._http.request("POST", "bridges", bridge_id, body=body)

    async def add(self, bridge_id: str, channel_id: str) -> None:
        """Move a channel into this bridge. It must be in Stasis.

        Raises NotFound if the bridge is gone, RequestRefused if the channel is gone.
        """
        body = {"channel": channel_id}
        await self._http.request("POST", "bridges", bridge_id, "addChannel", body=body)

    async def remove(self, bridge_id: str, channel_id: str) -> None:
        """Take a channel out; it stays in Stasis.

        Raises NotFound if the bridge is gone, RequestRefused if the channel is not in it.
        """
        body = {"channel": channel_id}
        await self._http.request("POST", "bridges", bridge_id, "removeChannel", body=body)

    async def channels(self, bridge_id: str) -> list[str]:
        """Return the ids of the channels in a bridge; none if the bridge is gone."""
        with suppress(NotFound):
            bridge = await self._http.request("GET", "bridges", bridge_id)
            return [str(channel) for channel in bridge["channels"]]
        return []

    async def destroy(self, bridge_id: str) -> None:
        """Destroy a bridge, if it exists."""
        with suppress(NotFound):
            await self._http.request("DELETE", "bridges", bridge_id)

    async def play(self, bridge_id: str, media: str, playback_id: str) -> None:
        """Play a sound to all channels in a bridge."""
        await self._http.request(
            "POST", "bridges", bridge_id, "play", playback_id, body={"media": media}
        )

    async def stop_playing(self, playback_id: str) -> None:
        """Stop a playback that `play` started, if it still plays."""
        with suppress(NotFound):
            await self._http.request("DELETE", "playbacks", playback_id)

    async def record(self, bridge_id: str, name: str, most_seconds: int) -> None:
        """Record what is heard in a bridge, under this name. Its end is an event.

        Raises RequestRefused (500) if Asterisk has no folder for recordings.
        """
        body = {
            "name": name,
            "format": "wav",
            "maxDurationSeconds": most_seconds,
            "ifExists": "overwrite",
        }
        await self._http.request("POST", "bridges", bridge_id, "record", body=body)
