"""Bridges: where channels hear each other."""

from contextlib import suppress

from telealarm.asterisk.ari.errors import AlreadyExists, NotFound
from telealarm.asterisk.ari.http import Http


class Bridges:
    """`client.bridges`. A bridge has an id that the caller chooses."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(self, bridge_id: str) -> None:
        """A mixing bridge; one of this id that is there already is fine.

        Asterisk would let two channels pass their packets to each other past itself, and hear no
        keys; so that they are heard, media go through it.
        """
        body = {"type": "mixing,dtmf_events,proxy_media", "name": bridge_id}
        with suppress(AlreadyExists):
            await self._http.request("POST", "bridges", bridge_id, body=body)

    async def add(self, bridge_id: str, channel_id: str) -> None:
        """Put a channel in, out of the bridge that it is in. It must be in Stasis.

        Raises NotFound where the bridge is gone, Refused where the channel is.
        """
        body = {"channel": channel_id}
        await self._http.request("POST", "bridges", bridge_id, "addChannel", body=body)

    async def remove(self, bridge_id: str, channel_id: str) -> None:
        """Take a channel out; it stays in Stasis. NotFound, Refused where it is not in there."""
        body = {"channel": channel_id}
        await self._http.request("POST", "bridges", bridge_id, "removeChannel", body=body)

    async def channels(self, bridge_id: str) -> list[str]:
        """The ids of the channels in a bridge; none where it is gone."""
        with suppress(NotFound):
            found = await self._http.request("GET", "bridges", bridge_id)
            return [str(channel) for channel in found["channels"]]
        return []

    async def destroy(self, bridge_id: str) -> None:
        """Destroy a bridge; one that is gone is fine."""
        with suppress(NotFound):
            await self._http.request("DELETE", "bridges", bridge_id)

    async def play(self, bridge_id: str, media: str, playback_id: str) -> None:
        """Play to everybody in a bridge."""
        await self._http.request(
            "POST", "bridges", bridge_id, "play", playback_id, body={"media": media}
        )

    async def stop_playing(self, playback_id: str) -> None:
        """Stop what `play` began; what is over is fine."""
        with suppress(NotFound):
            await self._http.request("DELETE", "playbacks", playback_id)
