"""The frozen demo for a program that starts it: ``python -m commonwatt.demo.frozen.process``.

It takes a free port and prints one line of JSON once it answers: url, username, password, site,
timezone, start, end, meters and sensors (ids by name). It ends with its standard input, so that it
does not outlive who started it, however that ends; on SIGTERM and SIGINT too.
"""

import json
import os
import signal
import sys
from threading import Thread

from commonwatt.adapters.ending import end_on_sigterm


def main() -> None:
    """Serve until standard input ends; where the server is not installed, end and say so."""
    end_on_sigterm()
    try:
        from commonwatt.demo.frozen.frozen import serve_frozen
    except ModuleNotFoundError as error:
        sys.exit(
            f"the server is not installed ({error.name} is missing): "
            "pip install '.[server]' in the checkout"
        )
    Thread(target=_end_with_standard_input, daemon=True).start()
    serve_frozen(0, lambda address: print(json.dumps(_facts(address)), flush=True))  # noqa: T201


def _facts(address: str) -> dict[str, object]:
    from commonwatt.demo.frozen import facts as frozen_facts
    from commonwatt.demo.simulated.building import SITE_ID, TIMEZONE

    return {
        "url": address,
        "username": frozen_facts.USERNAME,
        "password": frozen_facts.PASSWORD,
        "site": SITE_ID,
        "timezone": TIMEZONE,
        "start": frozen_facts.FROM.isoformat(),
        "end": frozen_facts.UNTIL.isoformat(),
        "meters": frozen_facts.meter_ids(),
        "sensors": frozen_facts.sensor_ids(),
    }


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
