"""What the frozen demo tells who started it."""

from commonwatt.demo.frozen.facts import FROM, PASSWORD, UNTIL, USERNAME
from commonwatt.demo.simulated.building import SITE_ID, TIMEZONE


def frozen_banner(address: str) -> str:
    """Return the text of a frozen demo that answers at an address."""
    return f"""
commonwatt demo, frozen: the same building, times and values on every machine and every day.

  address   {address}
  docs      {address}/docs
  account   {USERNAME}
  password  {PASSWORD}
  site      {SITE_ID}
  readings  {FROM.isoformat()} to {UNTIL.isoformat()}, {TIMEZONE}

Ask with times: a question without them means the last 24 hours, which are empty. The account may
ask as often as it likes. The password is known to everybody, so this answers on loopback only,
from a temporary folder of its own that is removed at the end.

Ctrl-C ends it.
"""
