"""Running the demo: set up once, then serve while the simulated gateway sends."""

import time
from collections.abc import Callable
from dataclasses import replace

from commonwatt.adapters.passwords import Argon2Passwords
from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.bootstrap import run_server
from commonwatt.demo.banner import banner
from commonwatt.demo.gateway import Gateway, gateway_client
from commonwatt.demo.seeding import Progress
from commonwatt.demo.set_up import set_up, site_number
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.demo.state import DemoState
from commonwatt.settings import Settings
from commonwatt.stores import open_store_of

_OWNER_ONLY = 0o700


def prepare_demo(settings: Settings, progress: Progress) -> DemoState:
    """Return how the demo of a data folder was set up; the first time, set it up.

    Raises CannotRunDemo and the errors of a store.
    """
    settings.data.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    store = open_store_of(settings)
    try:
        state = DemoState.load(settings.data)
        if site_number(store) is None or state is None:
            accounts = SqlAccountStore(store.database)
            state = set_up(store, accounts, Argon2Passwords(), int(time.time()), progress)
            state.save(settings.data)
        return state
    finally:
        store.database.close()


def serve_demo(settings: Settings, state: DemoState, tell: Callable[[str], None]) -> None:
    """Serve the demo's building on loopback until SIGTERM or SIGINT, while its gateway sends.

    The gateway begins with what was missed since the last time. ``tell`` is given the text for who
    started it once the address answers. Raises the errors of a store.
    """
    served = settings.model_copy(
        update={
            "host": "127.0.0.1",
            "workers": 1,
            "tls_cert": None,
            "tls_key": None,
            "trusted_proxy": None,
        }
    )
    gateways: list[Gateway] = []

    def announce(address: str) -> None:
        gateway = _gateway(served, state, address)
        gateway.start()
        gateways.append(gateway)
        tell(banner(address, state, int(time.time())))

    try:
        run_server(served, announce)
    finally:
        for gateway in gateways:
            gateway.stop()


def _gateway(settings: Settings, state: DemoState, address: str) -> Gateway:
    def acknowledged(until_at: int) -> None:
        replace(state, delivered_until_at=until_at).save(settings.data)

    return Gateway(
        ReadingLog(state.set_up_at),
        state.delivered_until_at,
        gateway_client(address, state.gateway_key),
        now=time.time,
        acknowledged=acknowledged,
    )
