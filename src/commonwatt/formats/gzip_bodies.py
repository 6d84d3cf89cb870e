"""Unpacking gzip without trusting it."""

import re
import zlib

from commonwatt.formats.errors import BodyTooLarge, UnreadableBody

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 256
# At the end of a member zlib copies what it was given beyond it: small slices keep that small.
_SLICE_BYTES = 65_536
_PADDING = re.compile(rb"\0*")


def gunzip_limited(data: bytes, limit: int) -> bytes:
    """Unpack gzip data (at most 256 members, which are joined) of at most ``limit`` bytes.

    Never holds more than ``limit`` + 1 unpacked bytes, whatever the data claim, and takes a time
    proportional to their size. Raises `BodyTooLarge` beyond the limit, and `UnreadableBody` for
    what is not gzip, broken, cut short or in more members.

    >>> import gzip
    >>> gunzip_limited(gzip.compress(b"timestamp,en_im"), 100)
    b'timestamp,en_im'
    """
    unpacked = bytearray()
    position = 0
    for _ in range(_MOST_MEMBERS):
        position = _unpack_member(data, position, limit, unpacked)
        # Zero bytes may follow a member as padding.
        if padding := _PADDING.match(data, position):
            position = padding.end()
        if position == len(data):
            return bytes(unpacked)
    raise UnreadableBody(0, 0, f"the gzip data have more than {_MOST_MEMBERS} members; send one")


def _unpack_member(data: bytes, start: int, limit: int, unpacked: bytearray) -> int:
    """Unpack the member at ``start`` onto ``unpacked``; return the position after it."""
    member = zlib.decompressobj(_GZIP_WINDOW_BITS)
    position = start
    while not member.eof:
        if position >= len(data):
            raise UnreadableBody(0, 0, "the gzip data end too early; send the whole body")
        given = data[position : position + _SLICE_BYTES]
        try:
            unpacked += member.decompress(given, limit - len(unpacked) + 1)
        except zlib.error as error:
            raise UnreadableBody(0, 0, "the body is not valid gzip data") from error
        if len(unpacked) > limit:
            raise BodyTooLarge(limit)
        position += len(given) - len(member.unused_data)
    return position
