"""What the demo tells who started it: the address, an account, and curl lines to paste."""

from datetime import UTC, datetime, timedelta

from commonwatt.demo.simulated.building import SITE_ID
from commonwatt.demo.state import DemoState

_JSON = "-H 'Content-Type: application/json'"
_BEARER = '-H "Authorization: Bearer $TOKEN"'


def banner(address: str, state: DemoState, now_at: int) -> str:
    """Return the text of a running demo at an address such as http://127.0.0.1:8000."""
    sign_in, sites, day = curl_lines(address, state, now_at)
    return f"""
commonwatt demo: a building with 12 apartments, and 13 months of readings that go on coming in.

  address   {address}
  docs      {address}/docs
  account   {state.account}
  password  {state.password}

Sign in, list the sites, read yesterday (paste them in this order):

{sign_in}

{sites}

{day}

Ctrl-C ends it; the next start goes on from here.
"""


def curl_lines(address: str, state: DemoState, now_at: int) -> tuple[str, str, str]:
    """Return the lines that sign in, list the sites and read yesterday (UTC) by quarter-hours.

    The first keeps the token in the shell's variable TOKEN, the others send it.
    """
    api = f"{address}/api/v1"
    today = datetime.fromtimestamp(now_at, UTC).date()
    yesterday = today - timedelta(days=1)
    credentials = f'{{"username": "{state.account}", "password": "{state.password}"}}'
    window = f'{{"t_s": "{yesterday}T00:00:00", "t_e": "{today}T00:00:00"}}'
    out_of_answer = """sed -E 's/.*"access_token": *"([^"]+)".*/\\1/'"""
    return (
        f"TOKEN=$(curl -s {api}/auth {_JSON} -d '{credentials}' | {out_of_answer})",
        f"curl -s {api}/all_installations {_BEARER}",
        f"curl -s {api}/site_data/{SITE_ID}/electricity {_BEARER} {_JSON} -d '{window}'",
    )
