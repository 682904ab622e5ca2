"""Which addresses a webhook may call: the public ones, in their plain form."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.rules.url_guard import UrlGuard

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"),
    *("192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4003::200e", "2003::1", "2001:4860:4860::8888"),
]
HIDDEN = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.170.2", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::7f00:1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2001:10::1", "2001:20::1"),
    *("3fff::1", "5f00::1", "100::1", "4000::1", "::ffff:0:127.0.0.1"),
]
ODD = [
    # Other forms of 127.0.0.1, and of addresses at all.
    *("http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/"),
    *("http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://0/"),
    *("http://127.0.0.01/", "http://127.0.0.1./", "http://8.8.8.8./", "http://8.8.8/"),
    *("http://1.2.3.4.5/", "http://256.1.1.1/", "http://example.0x7f/", "http://0x/"),
    *("http://8.8.8.08/", "http://010.8.8.8/", "http://1.1.1.0x1/", "http://4294967297/"),
    # Digits and dots that are not ASCII's.
    *("http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/"),
    *("http://\u2460\u2461\u2466.0.0.1/", "http://\u0668.8.8.8/"),
    *("http://exámple.com/", "http://ex\u00adample.com/", "http://example.com\u2028/"),
    *("http://example.com:\u0668\u0660/", "http://localhos\u212a/"),
    # Another host than the eye sees.
    *("http://user@example.com/", "http://user:pw@example.com/", "http://8.8.8.8@127.0.0.1/"),
    *("http://@example.com/", "http://example.com\\@127.0.0.1/", "http://127.0.0.1#@example.com/"),
    *("http://example.com#x", "http://example.com%2f@127.0.0.1/", "http://%31%32%37.0.0.1/"),
    *("http:/example.com/", "http:///example.com/", "http:example.com", "//example.com/"),
    *("http://example.com /", " http://example.com/", "http://exa\tmple.com/", "http://a\n.com/"),
    *("http://example.com/\r\nHost: x", "http://example.com/\x00", "http://example..com/"),
    *("http://.example.com/", "http://example.com./", "http://-a.com/", "http:// /", "http://"),
    *(f"http://{'a' * 64}.com/", "http://example.com/" + "a" * 500),
    *(f"http://{'a.' * 127}a/", f"http://{'a' * 10_000}/", f"http://[{':0' * 10_000}]/"),
    # Ports, zones, brackets.
    *("http://example.com:0/", "http://example.com:65536/", "http://example.com:/"),
    *("http://example.com:-1/", "http://example.com:80:80/", "http://example.com:8e1/"),
    *("http://[fe80::1%25eth0]/", "http://[::1%lo]/", "http://[2606:4700::1", "http://2606::1/"),
    *("http://[8.8.8.8]/", "http://[2606:4700::1]x/", "http://[]/", "http://[v1.a]/"),
    # Other schemes.
    *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "HTTP://example.com/"),
    *("javascript:alert(1)", "unix:///run/x.sock", "", "example.com", "httpss://example.com/"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    guard = UrlGuard()
    assert guard.refusal(address) is None
    host = f"[{address}]" if ":" in address else address
    assert guard.check(f"https://{host}:8443/path").host == address


@pytest.mark.parametrize("address", HIDDEN)
def test_all_others_may_not_even_where_a_name_leads_there(address: str) -> None:
    guard = UrlGuard()
    assert "is not public" in (guard.refusal(address) or "")
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ValueError, match="is not public"):
        guard.check(f"http://{host}/")


@pytest.mark.parametrize("url", ODD)
def test_odd_forms_are_refused_also_where_everything_is_allowed(url: str) -> None:
    for guard in (UrlGuard(), UrlGuard(["0.0.0.0/0", "::/0"])):
        with pytest.raises(ValueError):
            guard.check(url)


@pytest.mark.parametrize("address", ["", "example.com", "127.1", "0x7f.0.0.1", "1.1.1.1 ", "1.1"])
def test_what_is_no_plain_address_is_not_connected_to(address: str) -> None:
    assert UrlGuard(["0.0.0.0/0"]).refusal(address)


def test_a_zone_is_refused() -> None:
    assert UrlGuard(["fe80::/10"]).refusal("fe80::1%eth0") == "fe80::1%eth0 is of one link"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "x.localhost"])
def test_this_machines_names_are_refused_at_once_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(ValueError, match=r"is not public \(loopback\); an operator may allow it"):
        UrlGuard(["10.0.0.0/8"]).check(f"http://{host}:8000/")
    assert UrlGuard(["::1/128"]).check(f"http://{host}:8000/").port == 8000


def test_a_network_that_the_operator_allows() -> None:
    guard = UrlGuard(["10.1.0.0/16", "::1/128"])
    assert guard.refusal("10.1.2.3") is None
    assert guard.refusal("::1") is None
    assert guard.refusal("10.2.0.1") == "10.2.0.1 is not public (private)"
    assert guard.refusal("127.0.0.1")
    assert guard.refusal("::ffff:10.1.2.3"), "another form of it is another address"
    assert guard.check("http://10.1.2.3:9000/hook").origin == "http://10.1.2.3:9000"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.com/a?b=c&d=%20", "https://example.com:443"),
        ("http://example.com", "http://example.com:80"),
        ("http://example.com?x=1", "http://example.com:80"),
        ("http://intranet:8080/@x", "http://intranet:8080"),
        ("http://a_b.xn--exmple-qta.com/~x/;y=(1)!", "http://a_b.xn--exmple-qta.com:80"),
        ("https://[2606:4700::1]:444/", "https://[2606:4700::1]:444"),
    ],
)
def test_names_are_taken_and_looked_up_later(url: str, origin: str) -> None:
    assert UrlGuard().check(url).origin == origin


@given(st.integers(0, 2**32 - 1))
def test_what_python_holds_for_private_is_refused(number: int) -> None:
    address = IPv4Address(number)
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert UrlGuard().refusal(str(address))


@given(st.ip_addresses(v=6))
def test_what_python_holds_for_private_in_ipv6_is_refused(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert UrlGuard().refusal(str(address))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_reached_in_ipv6s_clothes(address: IPv4Address) -> None:
    """Mapped, compatible, translated, NAT64 (RFC 6052, RFC 8215), 6to4, Teredo: not even public
    ones, and not where IPv4 is allowed.
    """
    number = int(address)
    forms = [
        *(number, 0xFFFF << 32 | number, 0xFFFF << 48 | number, 0x64FF9B << 96 | number),
        *(0x64FF9B0001 << 80 | number, 0x2002 << 112 | number << 80),
        *(0x20010000 << 96 | number << 64, 0x20010000 << 96 | number ^ 0xFFFFFFFF),
    ]
    guard = UrlGuard(["0.0.0.0/0"])
    for form in forms:
        assert guard.refusal(str(IPv6Address(form))), IPv6Address(form)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://example.com{text}"):
        try:
            target = UrlGuard().check(url)
        except ValueError as error:
            assert str(error)
        else:
            assert target.host.isascii()
            assert 1 <= target.port <= 65535
