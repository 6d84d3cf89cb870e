"""Ids that the platform gives: 24 lowercase hex digits, of which the first 8 are the time."""

import secrets


def new_id(now_at: int) -> str:
    """Return an id that nothing has, made at an instant [Unix seconds].

    >>> len(new_id(1_700_000_000)), new_id(1_700_000_000)[:8]
    (24, '6553f100')
    """
    return f"{now_at & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"
