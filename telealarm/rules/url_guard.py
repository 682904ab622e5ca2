"""The network addresses that a user may make the product call: only public ones.

The blocks are those of IANA's registries of special-purpose addresses (RFC 6890) that lead to no
public host, and those that carry an IPv4 address within an IPv6 address, which could lead anywhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

LONGEST = 500

# Stricter than RFC 3986: so all programs read an address in the same way.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
# Programs read `127.1`, `2130706433`, `0177.0.0.1` and `0x7f000001` as addresses.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)

_BLOCKS = [
    (ip_network(block), why)
    for why, blocks in {
        "this network": ("0.0.0.0/8", "::/128"),
        "loopback": ("127.0.0.0/8", "::1/128"),
        "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        "shared by a carrier's customers": ("100.64.0.0/10",),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        # Azure's; the only block with a public address.
        "a cloud's metadata": ("168.63.129.16/32",),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "broadcast": ("255.255.255.255/32",),
        "Teredo": ("2001::/32",),
        "for protocols": ("192.0.0.0/24", "192.88.99.0/24", "2001::/23"),
        "for AS112": ("192.31.196.0/24", "192.175.48.0/24", "2001:4:112::/48", "2620:4f:8000::/48"),
        "for AMT": ("192.52.193.0/24",),
        "for documents": (
            *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
            *("2001:db8::/32", "3fff::/20"),
        ),
        "for benchmarks": ("198.18.0.0/15",),
        "reserved": ("240.0.0.0/4",),
        "an IPv4 address within IPv6": ("::ffff:0:0/96", "::/96", "64:ff9b::/96"),
        "an IPv4 address within a local NAT64": ("64:ff9b:1::/48",),
        "6to4": ("2002::/16",),
    }.items()
    for block in blocks
]
# `localhost`, and every name below it, stands for these (RFC 6761 6.3).
_THIS_MACHINE = ("127.0.0.1", "::1")
_ALLOWING = "an operator may allow it in webhooks.allow"
# All blocks assigned to public hosts so far (RFC 4291). The rest is reserved.
_GLOBAL_UNICAST = IPv6Network("2000::/3")


@dataclass(frozen=True)
class Target:
    """Where a URL leads: a name, or an address in its plain form."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """The scheme, host and port, such as `https://example.com:443`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class UrlGuard:
    """Refuses addresses that are not public, except networks that the operator allows."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allow = [ip_network(network) for network in allow]

    def refusal(self, address: str) -> str | None:
        """Return why `address` (from a resolver or a socket) must not be called; None if it may."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"{address} is no plain address"
        if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
            return f"{address} is of one link"
        if any(parsed in network for network in self._allow):
            return None
        why = _special(parsed)
        return why and f"{address} is not public ({why})"

    def check(self, url: str) -> Target:
        """Return where `url` leads. Raises ValueError with a correct form.

        A name is not resolved here. `refusal` checks its addresses when it is called.
        """
        parsed = _URL.fullmatch(url)
        if parsed is None or len(url) > LONGEST:
            raise ValueError(
                "must be an address like https://example.com/path, in plain ASCII characters,"
                f" without a user and a #fragment, {LONGEST} characters at most"
            )
        scheme, host = parsed["scheme"], parsed["host"].lower()
        port = int(parsed["port"] or {"http": 80, "https": 443}[scheme])
        if not 1 <= port <= 65535:
            raise ValueError("the port must lie between 1 and 65535")
        if host.startswith("["):
            host = host[1:-1]
            self._check_literal(host, IPv6Address)
        elif _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            self._check_literal(host, IPv4Address)
        elif not all(_LABEL.fullmatch(label) for label in host.split(".")):
            raise ValueError("the host must be a name like example.com, without a dot at its end")
        elif host.rpartition(".")[2] == "localhost" and all(map(self.refusal, _THIS_MACHINE)):
            raise ValueError(f"{host} is not public (loopback); {_ALLOWING}")
        return Target(scheme, host, port)

    def _check_literal(self, host: str, kind: type[IPv4Address] | type[IPv6Address]) -> None:
        try:
            kind(host)
        except ValueError:
            raise ValueError(f"{host} is no address in its plain form; give a name") from None
        if why := self.refusal(host):
            raise ValueError(f"{why}; {_ALLOWING}")


def _special(address: IPv4Address | IPv6Address) -> str | None:
    for network, why in _BLOCKS:
        if address in network:
            return why
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return None
