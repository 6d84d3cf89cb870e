"""Gzip is unpacked up to a limit and never trusted."""

import gzip
import tracemalloc
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.formats.errors import BodyTooLarge, UnreadableBody
from commonwatt.formats.gzip_bodies import gunzip_limited


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3))
def test_members_are_joined(parts: list[bytes]) -> None:
    packed = b"".join(map(gzip.compress, parts))
    assert gunzip_limited(packed, 150) == b"".join(parts)
    assert gunzip_limited(packed + b"\0\0", sum(map(len, parts))) == b"".join(parts)


def test_the_limit_is_the_last_size_that_passes() -> None:
    packed = gzip.compress(b"x" * 100)
    assert len(gunzip_limited(packed, 100)) == 100
    with pytest.raises(BodyTooLarge) as raised:
        gunzip_limited(packed, 99)
    assert raised.value.limit == 99
    with pytest.raises(BodyTooLarge):
        gunzip_limited(packed + packed, 199)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            gunzip_limited(bomb, 100_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_empty_members_without_end_are_refused() -> None:
    member = gzip.compress(b"")
    assert gunzip_limited(member * 256, 100) == b""
    with pytest.raises(UnreadableBody, match="more than 256 members"):
        gunzip_limited(member * 500_000, 100)


def test_a_member_longer_than_a_slice_is_followed_by_others() -> None:
    noise = b"".join(sha256(bytes([n % 256, n // 256])).digest() for n in range(5_000))
    packed = gzip.compress(noise) + bytes(70_000) + gzip.compress(b"end") + bytes(70_000)
    assert gunzip_limited(packed, len(noise) + 3) == noise + b"end"


@given(st.binary(max_size=60), st.integers(0, 40))
def test_anything_else_is_unreadable(data: bytes, cut: int) -> None:
    with suppress(UnreadableBody):
        gunzip_limited(data, 1000)
    packed = gzip.compress(data)
    with pytest.raises(UnreadableBody):
        gunzip_limited(packed[: min(cut, len(packed) - 1)], 1000)
    with pytest.raises(UnreadableBody):
        gunzip_limited(packed + b"x", 1000)
