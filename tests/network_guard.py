"""Keeps tests on this machine: whoever reaches for another one fails."""

import ipaddress
import sys
from collections.abc import Sequence

LOCAL_NAMES = {"", "localhost", "localhost.localdomain"}
ADDRESSED_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}


class OutsideReached(Exception):
    """A test reached for an address beyond loopback."""


def is_loopback(host: object) -> bool:
    """Whether the host is loopback, by name or number; None and "" stand for this machine."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_the_outside(event: str, arguments: Sequence[object]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ADDRESSED_EVENTS:
        address = arguments[ADDRESSED_EVENTS[event]]
        if not isinstance(address, tuple):  # a Unix socket, or one that is connected already
            return
        host = address[0]
    else:
        return
    if not is_loopback(host):
        raise OutsideReached(f"{event} to {host!r}: tests talk to loopback only")


def keep_on_loopback() -> None:
    """Watch every socket of this process from now on; an audit hook cannot be taken off again."""
    sys.addaudithook(_refuse_the_outside)
