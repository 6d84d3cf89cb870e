"""Whether values of an answer are of their documented types."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type as JSON has it, with its name for people."""

    name: str
    types: tuple[type, ...]

    def has(self, value: object) -> bool:
        """Whether a value is of the type; true and false are no numbers."""
        if isinstance(value, bool):
            return bool in self.types
        return isinstance(value, self.types)


TEXT = ValueType("a text", (str,))
WHOLE = ValueType("a whole number", (int,))
NUMBER = ValueType("a number", (int, Decimal))
FLAG = ValueType("true or false", (bool,))
OBJECT = ValueType("an object", (dict,))
# In some countries postal codes have letters.
POSTAL_CODE = ValueType("a whole number", (int, str))

Types = Mapping[str, ValueType]


def type_fault(entry: Mapping[str, object], types: Types) -> str | None:
    """A value that is there and not of its type; None for none.

    >>> type_fault({"prim_ad": "11"}, {"prim_ad": WHOLE, "name": TEXT})
    "prim_ad is '11', not a whole number"
    """
    for key, wanted in types.items():
        if key in entry and not wanted.has(entry[key]):
            return f"{key} is {entry[key]!r}, not {wanted.name}"
    return None
