"""What the demo has to remember between two starts, in a file of the data folder."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from commonwatt.app.errors import CommonwattError


class CannotRunDemo(CommonwattError):
    """The demo cannot run here; the message says why and what would help."""


FILE_NAME = "demo.json"
_OWNER_ONLY = 0o600


class UnreadableDemoState(CannotRunDemo):
    """The demo's file is there and is not what the demo wrote; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoState:
    """How a demo was set up and how far its gateway has come; instants in Unix seconds.

    The password and the key open the demo's own accounts alone, which serve loopback; both are made
    at random when it is set up and stored here, so that a second start can show and use them.
    """

    set_up_at: int
    delivered_until_at: int
    account: str
    password: str
    gateway_key: str

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the state kept in a data folder, None if there is none.

        Raises UnreadableDemoState.
        """
        path = folder / FILE_NAME
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls(**kept)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise UnreadableDemoState(
                f"{path} is not the file of a demo; remove the folder to set one up anew"
            ) from error

    def save(self, folder: Path) -> None:
        """Replace the state kept in a data folder, as a whole; only its owner can read it."""
        path = folder / FILE_NAME
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
        fresh.replace(path)
