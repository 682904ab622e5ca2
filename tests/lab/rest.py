"""An integrator's client of the REST API: JSON over HTTP Basic, and nothing of TeleAlarm's code."""

from types import TracebackType
from typing import Any

import aiohttp

from tests.lab.network import Network
from tests.lab.speed import limit

JSON = dict[str, Any]


class RestError(AssertionError):
    """The API did not answer as expected."""


class Rest:
    """`async with Rest(url, "clinic", "secret") as rest: await rest.post("calendar/", {...})`."""

    def __init__(self, url: str, user: str, password: str, network: Network | None = None) -> None:
        self.base = f"{url}/rest-api/"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._network = network or Network()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Rest":
        timeout = aiohttp.ClientTimeout(total=limit(15))
        connector = aiohttp.TCPConnector(socket_factory=self._network.socket_for)
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=timeout, connector=connector
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, path: str) -> JSON:
        """The body of a 200."""
        return await self._ask("GET", path, None, 200)

    async def post(self, path: str, body: JSON) -> JSON:
        """The body of a 201."""
        return await self._ask("POST", path, body, 201)

    async def patch(self, path: str, body: JSON) -> JSON:
        """The body of a 200."""
        return await self._ask("PATCH", path, body, 200)

    async def delete(self, path: str) -> None:
        """A 204."""
        assert self._session, "use it as a context manager"
        async with self._session.delete(path if path.startswith("http") else self.base + path) as r:
            if r.status != 204:
                raise RestError(f"DELETE {path}: {r.status}: {await r.text()}")

    async def results(self, path: str) -> list[JSON]:
        """The rows of a list's first page."""
        rows: list[JSON] = (await self.get(path))["results"]
        return rows

    async def health(self) -> JSON:
        """What /readyz says to this login, ready or not."""
        assert self._session, "use it as a context manager"
        async with self._session.get(self.base.removesuffix("/rest-api/") + "/readyz") as reply:
            answer: JSON = await reply.json()
            return answer

    async def refused(self, method: str, path: str, body: JSON, status: int) -> JSON:
        """The body of an answer that is expected to be an error."""
        return await self._ask(method, path, body, status)

    async def _ask(self, method: str, path: str, body: JSON | None, status: int) -> JSON:
        assert self._session, "use it as a context manager"
        url = path if path.startswith("http") else self.base + path
        async with self._session.request(method, url, json=body) as reply:
            if reply.status != status:
                said = await reply.text()
                raise RestError(f"{method} {path}: {reply.status}, not {status}: {said}")
            answer: JSON = await reply.json()
            return answer


def number_of(url: str) -> int:
    """The id at the end of a link."""
    return int(url.rstrip("/").rsplit("/", 1)[1])
