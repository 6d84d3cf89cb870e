"""The producers that a consumer names, from YAML."""

from collections.abc import Mapping
from decimal import Decimal

import yaml

from commonwatt.formats import yaml_values as read
from commonwatt.formats.errors import BadValue, shown

_RIGHT = "a list such as [prim_ad:101], or a map with percentages such as {prim_ad:101: 40}"


def producers(node: yaml.Node) -> Mapping[str, Decimal | None]:
    """Read producers with the percentage of each, None where they are only listed; null is none."""
    return read.or_null(_producers)(node) or {}


def _producers(node: yaml.Node) -> Mapping[str, Decimal | None]:
    if isinstance(node, yaml.SequenceNode):
        return _named([(each, None) for each in node.value])
    if isinstance(node, yaml.MappingNode):
        return _named([(name, _percentage(name, value)) for name, value in node.value])
    raise BadValue(f"must be {_RIGHT}")


def _percentage(name: yaml.Node, value: yaml.Node) -> Decimal:
    try:
        return read.decimal("0", "100")(value)
    except BadValue as fault:
        raise BadValue(
            f"the percentage of {shown(str(name.value))} {fault}; write {_RIGHT}"
        ) from None


def _named(said: list[tuple[yaml.Node, Decimal | None]]) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for node, percentage in said:
        name = read.text(node)
        if name in found:
            raise BadValue(f"{shown(name)} stands twice")
        found[name] = percentage
    return found
