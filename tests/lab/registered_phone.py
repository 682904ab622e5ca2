"""A phone that has registered at Asterisk with a login, as those of a hotel do."""

from tests.lab.behaviours import Behaviour
from tests.lab.caller import Caller, SipServer
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone, render
from tests.lab.ports import HOST, free_udp_port
from tests.lab.speed import limit

# What comes from 127.0.0.1 is the trunk's.
OWN_HOST = "127.0.0.2"


class RegisteredPhone(Phone):
    """`async with RegisteredPhone("105", "password", answers_only(), exchange, asterisk): ...`"""

    host = OWN_HOST

    def __init__(
        self,
        number: str,
        password: str,
        behaviour: Behaviour,
        exchange: Exchange,
        asterisk: SipServer,
    ) -> None:
        super().__init__(number, behaviour, exchange)
        self._password = password
        self._sip_port = asterisk.sip_port

    async def start(self) -> None:
        """Register; it can be called when this returns."""
        await super().start()
        scenario = self._folder / "registers.xml"
        contact = f"{self.host}:{self.port}"
        values = {"number": self.number, "password": self._password, "contact": contact}
        scenario.write_text(render("registers", **values))
        registering = self._sipp(
            [
                *("sipp", f"{HOST}:{self._sip_port}", "-sf", scenario, "-m", "1", "-nostdin"),
                *("-i", self.host, "-p", str(free_udp_port()), "-cp", str(free_udp_port())),
            ],
            "registers",
        )
        status = await registering.wait(limit(15))
        assert status == 0, f"{self.number} is not registered:\n{registering.tail()}"


class RegisteredCaller(Caller):
    """A phone with a login that calls."""

    host = OWN_HOST

    def __init__(
        self,
        number: str,
        password: str,
        dials: str,
        behaviour: Behaviour,
        exchange: Exchange,
        asterisk: SipServer,
    ) -> None:
        super().__init__(number, dials, behaviour, exchange, asterisk)
        self.password = password
