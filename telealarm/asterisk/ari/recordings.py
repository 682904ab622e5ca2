"""Live and stored recordings of Asterisk."""

from contextlib import suppress

from telealarm.asterisk.ari.errors import AllocationFailed, NotFound, NotInStasis, RequestRefused
from telealarm.asterisk.ari.http import Http

# While a recording comes to its end, Asterisk says "not in session" (409).
_ENDED = (NotFound, NotInStasis)


class Recordings:
    """`client.recordings`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def stop(self, name: str) -> None:
        """End a recording and store it, if it still runs."""
        with suppress(*_ENDED):
            await self._http.request("POST", "recordings", "live", name, "stop")

    async def cancel(self, name: str) -> None:
        """End a recording without storing it, if it still runs."""
        with suppress(*_ENDED):
            await self._http.request("DELETE", "recordings", "live", name)

    async def fetch(self, name: str, most_bytes: int) -> bytes:
        """Return the sound of a stored recording. Raises NotFound if there is none."""
        return await self._http.fetch("recordings", "stored", name, "file", most_bytes=most_bytes)

    async def delete(self, name: str) -> None:
        """Delete a stored recording, if it exists."""
        with suppress(NotFound):
            await self._http.request("DELETE", "recordings", "stored", name)

    async def stored(self) -> list[str]:
        """Return the names of all stored recordings, from this product or not.

        None are stored if Asterisk cannot list them: then it has no folder for recordings, and says
        "Allocation failed".
        """
        with suppress(NotFound, RequestRefused, AllocationFailed):
            recordings = await self._http.all_of("recordings", "stored")
            return [str(recording["name"]) for recording in recordings]
        return []
