"""Asterisk's manager interface (AMI), by panoramisk: one connection, made when it is needed.

An action is sent once. panoramisk would connect again by itself and send once more what was not
answered; here a connection that is lost is thrown away, and what was under way has no known fate.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from panoramisk.manager import Manager

from telealarm.config import Ami as AmiConfig
from telealarm.errors import TransportError


class _Connection(Manager):  # type: ignore[misc]
    """A connection that never comes back by itself."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: object) -> None:
        self._connected = False
        self.lost.set()
        self.close()


class Ami:
    """Asks Asterisk things. Close it when done."""

    def __init__(self, config: AmiConfig) -> None:
        self._config = config
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.lost.set()
            connection.close()

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        """Asterisk's answer, its keys in small letters.

        Raises TransportError: temporary where Asterisk is not reached, permanent where it says
        no, unknown where the answer does not come.
        """
        for key, value in fields.items():
            if "\r" in value or "\n" in value:
                raise TransportError(f"{key} must be one line", permanent=True)
        connection = await self._connected()
        answer = asyncio.ensure_future(connection.send_action({"Action": name, **fields}))
        lost = asyncio.ensure_future(connection.lost.wait())
        try:
            await asyncio.wait(
                [answer, lost],
                timeout=self._config.timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not answer.done():
                await self.close()
                raise TransportError(f"Asterisk did not answer {name}", unknown=True)
        finally:
            lost.cancel()
            answer.cancel()
        message = answer.result()
        said = {str(key).lower(): str(value) for key, value in message.items()}
        if not message.success:
            raise TransportError(f"{name}: {said.get('message', 'refused')}", permanent=True)
        return said

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is not None and not self._connection.lost.is_set():
                return self._connection
            config = self._config
            connection = _Connection(
                host=config.host,
                port=config.port,
                username=config.user,
                secret=config.password,
                events="off",
                loop=asyncio.get_running_loop(),
            )
            try:
                async with asyncio.timeout(config.timeout_seconds):
                    made = asyncio.ensure_future(
                        asyncio.get_running_loop().create_connection(
                            connection.config["protocol_factory"], config.host, config.port
                        )
                    )
                    await made
                    connection.connection_made(made)
                    await connection.authenticated_future
            except (OSError, TimeoutError) as error:
                connection.lost.set()
                connection.close()
                raise TransportError(f"Asterisk's AMI is not reached: {error}") from error
            if not connection.authenticated:
                connection.lost.set()
                connection.close()
                raise TransportError("AMI refuses asterisk.ami.user and asterisk.ami.password")
            self._connection = connection
            return connection
