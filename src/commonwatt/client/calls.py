"""All that can be asked of a server, once for threads and tasks."""

from commonwatt.client.catalogue import Catalogue
from commonwatt.client.credentials import Credentials
from commonwatt.client.series.series_calls import OnPart, SeriesCalls
from commonwatt.client.stamps import NaiveTime
from commonwatt.client.wire.pacing import Pacing
from commonwatt.client.wire.session import Session
from commonwatt.client.wire.sign_in import SignIn
from commonwatt.client.wire.wire import Wire


class Calls:
    """Questions about the catalogue and about series, over one wire."""

    def __init__(
        self,
        wire: Wire,
        credentials: Credentials,
        requests_per_second: float,
        naive_time: NaiveTime,
        on_part: OnPart | None,
    ) -> None:
        sign_in = SignIn(wire, credentials)
        session = Session(wire, sign_in, Pacing(requests_per_second, wire.lock))
        self.catalogue = Catalogue(wire, session)
        self.series = SeriesCalls(session, self.catalogue, naive_time, on_part)
