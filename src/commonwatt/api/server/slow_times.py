"""When each thing that a connection waits for began, and whether it takes too long."""

import asyncio
import fcntl
import struct
import termios

from commonwatt.api.server.connections import ConnectionLimits

SLOWEST_BYTES_A_SECOND = 1024
TAKEN_AT_ONCE = 48 * 1024
"""What a client has taken at least where a full buffer may be filled again: from 64 KiB to 16."""


class _Pace:
    """How long what should go on at 1 KiB a second has been behind."""

    __slots__ = ("_behind_s", "_looked_at", "moved")

    def __init__(self) -> None:
        self.moved = 0
        self._behind_s = 0.0
        self._looked_at: float | None = None

    def begin(self) -> None:
        self.moved, self._behind_s, self._looked_at = 0, 0.0, None

    def behind_s(self, now: float) -> float:
        elapsed_s = 0.0 if self._looked_at is None else now - self._looked_at
        behind_s = self._behind_s + elapsed_s - self.moved / SLOWEST_BYTES_A_SECOND
        # What came fast before is no credit for what does not come now.
        self._behind_s = max(0.0, behind_s)
        self._looked_at, self.moved = now, 0
        return self._behind_s


class SlowTimes:
    """The times of one connection, all as the event loop tells them [s].

    A head has its time, and so has an idle connection. A body and an answer must go on at 1 KiB a
    second and may be behind for their time: a slow link is served, a byte now and then is not.
    """

    __slots__ = (
        "_body",
        "_head_since",
        "_idle_since",
        "_in_body",
        "_limits",
        "_outstanding",
        "_unread",
    )

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._idle_since: float | None = None
        self._head_since: float | None = None
        self._in_body = False
        self._body = _Pace()
        self._unread = _Pace()
        self._outstanding = 0

    def begin_head(self, now: float) -> None:
        """A request began."""
        self._idle_since, self._head_since = None, now

    def begin_body(self) -> None:
        """The head of a request is complete."""
        self._head_since, self._in_body = None, True
        self._body.begin()

    def end_request(self) -> None:
        """The request is complete."""
        self._in_body = False

    def begin_idle(self, now: float) -> None:
        """Nothing was asked yet, or all was answered."""
        self._idle_since = now

    @property
    def is_waiting(self) -> bool:
        """Whether nothing was asked, or not yet to its end."""
        return self._idle_since is not None or self._head_since is not None

    def received(self, length: int) -> None:
        """So many bytes came."""
        self._body.moved += length

    def resumed(self) -> None:
        """A full buffer may be filled again."""
        self._unread.moved += TAKEN_AT_ONCE

    def is_head_late(self, now: float, reading_is_paused: bool) -> bool:
        """Whether a head takes too long."""
        if self._head_since is None:
            return False
        if reading_is_paused:  # it waits for us
            self._head_since = now
        return now - self._head_since > self._limits.head_s

    def is_body_late(self, now: float, reading_is_paused: bool) -> bool:
        """Whether a body has come too slowly for too long."""
        if not self._in_body:
            return False
        if reading_is_paused:
            self._body.begin()
        return self._body.behind_s(now) > self._limits.body_s

    def is_idle(self, now: float) -> bool:
        """Whether nothing was asked for too long."""
        return self._idle_since is not None and now - self._idle_since > self._limits.idle_s

    def is_unread(self, now: float, transport: asyncio.Transport) -> bool:
        """Whether the client has left unread what was written, or nearly, for too long."""
        waiting = transport.get_write_buffer_size()
        if not waiting:
            self._unread.begin()
            self._outstanding = 0
            return False
        outstanding = waiting + _unacknowledged(transport)
        self._unread.moved += max(0, self._outstanding - outstanding)
        self._outstanding = outstanding
        return self._unread.behind_s(now) > self._limits.write_s


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Bytes that the kernel holds because the client has not taken them yet.

    A slow reader empties these for minutes before there is room for more of ours.
    """
    raw = transport.get_extra_info("socket")
    try:
        answer = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, ValueError):  # closed just now, or a system that does not tell it
        return 0
    return int(struct.unpack("i", answer)[0])
