"""A server that does not answer is told in a line of our own."""

import subprocess
import sys

ASK = """
import stamina
from commonwatt.client import Climkit, Unreachable
stamina.set_testing(True, attempts=100, cap=True)
{set_up}
try:
    Climkit("http://127.0.0.1:9", "anna", "secret").sites()
except Unreachable as error:
    print(error)
"""


def said(set_up: str = "") -> list[str]:
    asked = [sys.executable, "-c", ASK.format(set_up=set_up)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "cannot be reached" in done.stdout
    return done.stderr.splitlines()


def test_without_logging_set_up_each_try_is_one_plain_line() -> None:
    lines = said()

    assert len(lines) == 4
    for line in lines:
        assert line.startswith("http://127.0.0.1:9/api/v1/ cannot be reached: ")
        assert line.endswith("; again in 0 s")


def test_the_lines_are_the_programs_to_silence() -> None:
    assert said('import logging; logging.getLogger("commonwatt.client").disabled = True') == []
