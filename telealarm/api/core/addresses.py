"""Where a request comes from: the peer, or what a trusted proxy says of it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import hdrs, web


class Proxies:
    """The reverse proxies whose X-Forwarded headers are believed: addresses or networks."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = tuple(map(ip_network, trusted))

    def trust(self, address: str) -> bool:
        """Return whether this is the address of a trusted proxy."""
        parsed = _parsed(address)
        return parsed is not None and any(parsed in one for one in self._trusted)

    def client(self, request: web.Request) -> str:
        """Return the network of the client (see `network`).

        X-Forwarded-For is read from its end: a client can write what it likes at its beginning.
        """
        address = request.remote or ""
        hops = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
        while hops and self.trust(address):
            hop = hops.pop().strip()
            if _parsed(hop) is None:
                break
            address = hop
        return network(address)

    def scheme(self, request: web.Request) -> str:
        """Return the scheme that the client used: `https` if a trusted proxy says so."""
        sent = request.headers.get(hdrs.X_FORWARDED_PROTO, "").strip().lower()
        if sent in ("http", "https") and self.trust(request.remote or ""):
            return sent
        return request.scheme


def network(address: str) -> str:
    """Return an address, or for IPv6 its /64: a household or an attacker usually has a whole one.

    What is no address is returned as it is.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address without its scope (`%eth0`), and an IPv4 address as such."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
