"""Runs the shell blocks of a page as one session, and compares what they print with the page.

A block of ``sh`` is run; a block of ``json`` or ``text`` shows what the block of ``sh`` before it
prints. In JSON the text "…" stands for any text.
"""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.markdown import Block

_MARK = "--- end of block ---"
_SECONDS = 120


@dataclass(frozen=True)
class Step:
    """Commands of a page, and what it says they print (None: it does not say)."""

    commands: Block
    shown: Block | None


def steps(blocks: Sequence[Block]) -> list[Step]:
    """The blocks of a page as steps."""
    found: list[Step] = []
    for block, following in itertools.zip_longest(blocks, blocks[1:]):
        if block.language == "sh":
            is_output = following is not None and following.language in ("json", "text")
            found.append(Step(block, following if is_output else None))
    return found


def run_session(
    session: Sequence[Step], folder: Path, address: str, variables: Mapping[str, str]
) -> list[str]:
    """Run the commands in one shell in ``folder``; what each step prints.

    ``address`` stands for the address in the text, http://127.0.0.1:8000. A command that fails ends
    the session.
    """
    for tool in ("bash", "curl", "sed"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    script = ["set -eu -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for step in session:
        commands = step.commands.text.replace("http://127.0.0.1:8000", address)
        commands = commands.replace("--port 8000", f"--port {address.rpartition(':')[2]}")
        script += [commands, f"echo; echo '{_MARK}'"]
    done = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=folder,
        env={**os.environ, **variables},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    printed = done.stdout.split(f"{_MARK}\n")[:-1]
    assert done.returncode == 0, f"{done.stderr}\nafter {len(printed)} of {len(session)} blocks"
    return [text.strip() for text in printed]


def differences(session: Sequence[Step], printed: Sequence[str]) -> list[str]:
    """What the page shows and the commands did not print."""
    wrong: list[str] = []
    for step, text in zip(session, printed, strict=True):
        if step.shown is not None and not _agrees(step.shown, text):
            wrong.append(f"line {step.shown.line} shows\n{step.shown.text}\nprinted was\n{text}")
    return wrong


def _agrees(shown: Block, printed: str) -> bool:
    if shown.language == "text":
        return _lines(shown.text) == _lines(printed)
    return _same(_parsed(shown.text), _parsed(printed))


def _parsed(text: str) -> object:
    # Fractions stay as they are written: 0.060 is three decimals.
    parsed: object = json.loads(text, parse_float=str)
    return parsed


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _same(shown: object, printed: object) -> bool:
    if shown == "…":
        return isinstance(printed, str)
    if isinstance(shown, dict) and isinstance(printed, dict):
        return list(shown) == list(printed) and all(
            _same(shown[key], printed[key]) for key in shown
        )
    if isinstance(shown, list) and isinstance(printed, list):
        return len(shown) == len(printed) and all(map(_same, shown, printed))
    return type(shown) is type(printed) and shown == printed
