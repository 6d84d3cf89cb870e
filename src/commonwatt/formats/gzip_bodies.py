"""Unpacking gzip without trusting it."""

import zlib

from commonwatt.formats.errors import BodyTooLarge, UnreadableBody

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS


def gunzip_limited(data: bytes, limit: int) -> bytes:
    """Unpack gzip data (several members are joined) of at most ``limit`` bytes.

    Never holds more than ``limit`` + 1 unpacked bytes, whatever the data claim. Raises
    `BodyTooLarge` beyond the limit, and `UnreadableBody` for what is not gzip, broken or cut short.

    >>> import gzip
    >>> gunzip_limited(gzip.compress(b"timestamp,en_im"), 100)
    b'timestamp,en_im'
    """
    parts: list[bytes] = []
    room = limit
    while True:
        member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as error:
            raise UnreadableBody(0, 0, "the body is not valid gzip data") from error
        if len(part) > room:
            raise BodyTooLarge(limit)
        if not member.eof:
            raise UnreadableBody(0, 0, "the gzip data end too early; send the whole body")
        parts.append(part)
        room -= len(part)
        # Zero bytes may follow the last member as padding.
        data = member.unused_data.lstrip(b"\x00")
        if not data:
            return b"".join(parts)
