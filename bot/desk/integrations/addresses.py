"""Where events may be posted: to public addresses over HTTPS, so that nobody makes us ask our own network for something.

A name is resolved and every address it has is looked at, at each post; the connection goes to an address that was looked at. On a
machine of development (no public address of its own) the loopback may be reached too, without HTTPS. An operator may name private
networks in which a help desk stands.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from bot.base.errors import BadInput, Misconfigured

LONGEST = 1000
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """Nothing may be posted there, or nobody has this name; the text is ours and holds no address."""


@dataclass(frozen=True)
class Target:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    path: str  # with its query


@dataclass(frozen=True)
class Reach:
    """What may be reached besides public addresses."""

    networks: tuple[Network, ...] = ()
    is_development: bool = False


def reach_of(public_url: str, networks: str) -> Reach:
    """The same by the settings; raises Misconfigured for something that is no network."""
    try:
        listed = tuple(ip_network(one.strip()) for one in networks.split(",") if one.strip())
    except ValueError:
        raise Misconfigured("CANDOUR_WEBHOOK_NETWORKS must be comma-separated networks such as 10.20.0.0/24.") from None
    return Reach(listed, is_development=not public_url)


def target_of(url: str, reach: Reach) -> Target:
    """An address taken apart; raises BadInput for one that could never be posted to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadInput("This is not an address of the form https://…") from None
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not host or not is_plain or len(url) > LONGEST or parts.scheme not in ("https", "http"):
        raise BadInput("This is not an address of the form https://…")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("The address must hold no sign-in name, password or fragment.")
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, reach):
        raise BadInput("This address is in a private network or on this machine: it cannot be posted to.")
    is_loopback = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (reach.is_development and is_loopback):
        raise BadInput("Events are posted over https only.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolved(host: str, port: int, reach: Reach, resolve: Resolve | None = None) -> list[str]:
    """The addresses of a name; raises Unreachable when it has none, or when one of them may not be reached."""
    try:
        found = list(dict.fromkeys((resolve or _ask)(host, port)))
    except (OSError, UnicodeError):
        raise Unreachable("the name is not known") from None
    if not found:
        raise Unreachable("the name is not known")
    if not all(is_allowed(ip_address(one.partition("%")[0]), reach) for one in found):
        raise Unreachable("the address is private")
    return found


def is_allowed(address: Address, reach: Reach) -> bool:
    """Whether something may be posted to an address."""
    inner = _inner(address)
    if any(one.version == network.version and one in network for network in reach.networks for one in {address, inner}):
        return True
    if inner.is_loopback:
        return reach.is_development
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in {address, inner})


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries, else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _ask(host: str, port: int) -> list[str]:
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
