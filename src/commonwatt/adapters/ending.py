"""Ending a process that was told to, whatever it is doing."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import wait
from types import FrameType

_WITHIN_S = 4.0

_log = logging.getLogger(__name__)


def end_on_sigterm() -> None:
    """Let SIGTERM end the process with exit code 0, before a server listens to it and after.

    It raises SystemExit. While modules are imported Python's compiler may drop what a signal raises
    in it, so a clock runs too.
    """
    signal.signal(signal.SIGTERM, _exit)
    end_at_the_latest()


def end_at_the_latest() -> None:
    """Let SIGTERM and SIGINT end the process within 4 seconds, besides what they do now.

    What is not committed then never will be, as after a power cut. To be called where signals are
    handled already; elsewhere than in the main thread, where nobody handles them, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        _also(number)


def end_with_parent() -> None:
    """Let this process be told to end as soon as the process that started it is gone.

    For those that Python's multiprocessing started: it gives them a pipe that closes then.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        watching = threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True)
        watching.start()


def _watch(parent: int) -> None:
    wait([parent])
    _log.warning("the process that started this one is gone: this one ends too")
    os.kill(os.getpid(), signal.SIGTERM)


def _also(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        waiting = threading.Timer(_WITHIN_S, _end)
        waiting.daemon = True
        waiting.start()
        if callable(before):
            before(received, frame)

    signal.signal(number, handle)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _end() -> None:
    _log.warning("ended while something was under way; what was not acknowledged is not stored")
    os._exit(0)
