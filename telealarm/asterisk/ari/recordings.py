"""Recordings that Asterisk makes, and those that it has stored."""

from contextlib import suppress

from telealarm.asterisk.ari.errors import NotFound, RequestRefused
from telealarm.asterisk.ari.http import Http


class Recordings:
    """`client.recordings`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def stop(self, name: str) -> None:
        """End a recording and store it; one that is over already is fine."""
        with suppress(NotFound):
            await self._http.request("POST", "recordings", "live", name, "stop")

    async def cancel(self, name: str) -> None:
        """End a recording and store nothing; one that is over already is fine."""
        with suppress(NotFound):
            await self._http.request("DELETE", "recordings", "live", name)

    async def fetch(self, name: str, most_bytes: int) -> bytes:
        """The sound of a stored recording; NotFound where there is none."""
        return await self._http.fetch("recordings", "stored", name, "file", most_bytes=most_bytes)

    async def delete(self, name: str) -> None:
        """Delete a stored recording; one that is gone is fine."""
        with suppress(NotFound):
            await self._http.request("DELETE", "recordings", "stored", name)

    async def stored(self) -> list[str]:
        """The names of all that are stored, ours or not."""
        with suppress(NotFound, RequestRefused):
            found = await self._http.all_of("recordings", "stored")
            return [str(one["name"]) for one in found]
        return []
