"""The guard against the network is on for every test, also one that does not ask for it."""

import socket

import pytest

from tests.network_guard import OutsideReached, is_loopback


@pytest.mark.parametrize("host", [None, "", "localhost", "127.0.0.1", "127.8.0.1", "::1", b"::1"])
def test_loopback_is_allowed(host: str | bytes | None) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "meter.example"])
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_connecting_beyond_loopback_fails() -> None:
    with socket.socket() as outside, pytest.raises(OutsideReached, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))


def test_a_datagram_beyond_loopback_fails() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as outside,
        pytest.raises(OutsideReached, match=r"192\.0\.2\.1"),
    ):
        outside.sendto(b"", ("192.0.2.1", 9))


def test_asking_for_a_foreign_name_fails() -> None:
    with pytest.raises(OutsideReached, match=r"meter\.example"):
        socket.getaddrinfo("meter.example", 80)


def test_a_server_on_loopback_is_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
