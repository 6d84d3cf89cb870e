"""Giving memory that is used no more back to the system."""

import ctypes
import gc


def give_memory_back() -> None:
    """Let the C library return the free pages of its heaps, where it can be told to (glibc).

    It keeps them by itself: what a rush of long answers took would be the process's for ever. What
    waits for Python's own collector, as connections do, is collected first.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return
    trim(0)
