"""The devices in a meter's place, on our own surface."""

from collections.abc import Sequence
from dataclasses import replace

from commonwatt.api.endpoint.change import ChangeRequest, exact_json, told
from commonwatt.api.endpoint.endpoint import RequestContext, RequestData
from commonwatt.api.endpoint.meters import open_meter
from commonwatt.api.own_requests import parameters
from commonwatt.app.accounts.authorize import require_all_history, require_open_meter
from commonwatt.app.accounts.sight import Sight
from commonwatt.app.declaring.exchange import declare_devices
from commonwatt.app.ports import Store
from commonwatt.domain.metering.catalogue import Device, Meter
from commonwatt.formats.devices_json import devices_from_json, devices_to_json


def parse_devices(context: RequestContext, sent: RequestData) -> Meter:
    """Read whose devices are asked for."""
    parameters(sent.query, ())
    return open_meter(context, sent.path["meter_id"])


def answer_devices(context: RequestContext, meter: Meter) -> bytes:
    """Answer the devices that were in a meter's place, the first one first.

    With a limited history the first one is that which was there when it begins, and of that only
    what it was later.
    """
    return exact_json(devices_to_json(_in_sight(meter.devices, context.site.sight)))


def _in_sight(devices: Sequence[Device], sight: Sight) -> list[Device]:
    seen = [each for each in devices if sight.since(each.from_at)]
    earlier = devices[: len(devices) - len(seen)]
    return [*(replace(each, from_at=None, start_index={}) for each in earlier[-1:]), *seen]


def put_devices(store: Store, sent: ChangeRequest) -> bytes:
    """Replace the list of a meter's devices; answer the list, and what is computed anew."""
    site, meter_id = sent.admitted.site, sent.path["meter_id"]
    require_open_meter(site, meter_id)
    # The list is replaced, also what of it was before the history.
    require_all_history(site)
    devices = devices_from_json(sent.body)
    account = sent.admitted.account
    applied = declare_devices(store, site.number, meter_id, devices, account, sent.now_at)
    return exact_json({"devices": devices_to_json(devices)} | told(applied, site))
