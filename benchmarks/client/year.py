"""A meter's year by the client, against the bare transfer and pandas.read_json of its bytes."""

import io
from collections.abc import Sequence

import pandas as pd
import polars as pl

from benchmarks.client.asked_site import ASKED, AskedSite
from benchmarks.client.steps import steps_of
from benchmarks.expected import METER, compare
from benchmarks.report import PER_BARE, PER_PANDAS, Bound, Line
from benchmarks.servers.raw_http import Answer, Connection, Request
from benchmarks.servers.recorder import bare_transfer, recorder
from benchmarks.servers.side_commonwatt import ACCOUNT, PASSWORD
from benchmarks.servers.turns import clocked, in_turns, turns_line
from commonwatt.client import Climkit, Series

FIGURE = "a meter's year to a polars frame"
# A round of all else takes seconds, one of these a tenth of one.
_REPEATED = 5
_UNPACED = 1e6


def meter_year(asked: AskedSite) -> list[Line]:
    """A consumer's year of quarter-hours: asked month by month, joined, a frame; and its steps."""
    requests = _requests(asked)
    headers = asked.commonwatt.signed_in()
    answers = _answers(asked.port, requests, headers)
    texts = [answer.text() for answer in answers]
    with _client(asked.port) as climkit:

        def to_frame() -> pl.DataFrame:
            return _year(climkit, asked).to_polars()

        _check(asked, to_frame())
        subjects = {
            "commonwatt": clocked(to_frame),
            "bare": lambda: bare_transfer(asked.port, requests, headers),
            "pandas": clocked(lambda: _read_by_pandas(texts)),
        }
        results = in_turns(FIGURE, subjects, asked.plan.rounds * _REPEATED)
    goal = Bound(PER_BARE, at_most=5), Bound(PER_PANDAS, at_most=1)
    steps = steps_of(answers, asked.plan.year, asked.plan.rounds * _REPEATED)
    return [turns_line(results, FIGURE, "ms", goal), *steps]


def _client(port: int) -> Climkit:
    """A client that is not held back."""
    address = f"http://127.0.0.1:{port}"
    return Climkit(address, ACCOUNT, PASSWORD, requests_per_second=_UNPACED)


def _year(climkit: Climkit, asked: AskedSite) -> Series:
    return climkit.meter_data(ASKED.id, ASKED.meter_id(METER), *asked.window)


def _requests(asked: AskedSite) -> list[Request]:
    """What the client asks for a year once it knows site, meter and server."""
    with recorder(asked.port) as recorded, _client(recorded.port) as climkit:
        _year(climkit, asked)
        recorded.requests.clear()
        _year(climkit, asked)
        return [*recorded.requests]


def _answers(port: int, requests: Sequence[Request], headers: dict[str, str]) -> list[Answer]:
    with Connection(port) as connection:
        return [connection.ask(r.with_headers(**headers)).expect() for r in requests]


def _read_by_pandas(texts: Sequence[bytes]) -> pd.DataFrame:
    return pd.concat(pd.read_json(io.BytesIO(text)) for text in texts)


def _check(asked: AskedSite, frame: pl.DataFrame) -> None:
    """The frame holds the meter's year, each value within 1 Wh."""
    building, span = asked.building, asked.span
    total, own = building.totals[METER, span], building.shares[METER, span]
    for name, wanted in (("total", total), ("self", own), ("ext", total - own)):
        compare(f"the client, {name}", frame[name].to_list(), wanted)
