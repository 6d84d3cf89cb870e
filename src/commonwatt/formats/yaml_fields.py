"""YAML mappings read field by field, with the line of everything that is wrong.

Nothing is constructed from tags; scalars are taken as the text that was written, so ``factor: 0.1``
is the decimal 0.1 and ``street_number: 012`` keeps its zero. Aliases are refused.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeVar

import yaml

from commonwatt.app.declaring.declaration import (
    NOT_SAID,
    DeclarationFault,
    InvalidDeclaration,
    NotSaid,
)
from commonwatt.formats.errors import BadValue, shown

_SIZE_MAX_BYTES = 1 << 20
_DEPTH_MAX = 8
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

T = TypeVar("T")
Reader = Callable[[yaml.Node], T]
"""Turns a node into a value, or raises `BadValue` with what would be right."""


def document_of(text: bytes) -> yaml.Node:
    """Return the single document of a YAML text. Raises `InvalidDeclaration`."""
    if len(text) > _SIZE_MAX_BYTES:
        raise _invalid(1, f"the file is larger than {_SIZE_MAX_BYTES} bytes; declare it in parts")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise _invalid(line, "the text is not UTF-8") from error
    try:
        _refuse_traps(decoded)
        document = yaml.compose(decoded, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(line, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:  # characters that YAML does not allow
        raise _invalid(1, f"not YAML: {shown(str(error))}") from error
    if document is None:
        raise _invalid(1, "the file is empty; it must declare a site")
    return document


def _refuse_traps(text: str) -> None:
    """Refuse aliases, which can multiply a small text a millionfold, and deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _invalid(line, "aliases (*name) are not supported; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH_MAX:
                raise _invalid(line, f"nested deeper than {_DEPTH_MAX} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _invalid(line: int, reason: str) -> InvalidDeclaration:
    return InvalidDeclaration([DeclarationFault(line, "file", reason)])


def line_of(node: yaml.Node) -> int:
    """Return the line, from 1, on which a node starts."""
    return int(node.start_mark.line) + 1


class Fields:
    """The fields of a mapping; faults go to a list that all parts of a document share.

    ``what`` names the mapping in messages. A node that is no mapping, keys that are not ``known``
    and keys that stand twice are faults at once; wrong values are faults when they are read.
    """

    def __init__(
        self, node: yaml.Node, what: str, known: Sequence[str], faults: list[DeclarationFault]
    ) -> None:
        self.line = line_of(node)
        self._what = what
        self._faults = faults
        self._nodes: dict[str, yaml.Node] = {}
        self._key_lines: dict[str, int] = {}
        self._is_mapping = isinstance(node, yaml.MappingNode)
        if not isinstance(node, yaml.MappingNode):
            self.fault(what, f"must be a mapping of {', '.join(known)}")
            return
        for key_node, value in node.value:
            self._add(key_node, value, known)

    def _add(self, key_node: yaml.Node, value: yaml.Node, known: Sequence[str]) -> None:
        key, line = str(key_node.value), line_of(key_node)
        if not isinstance(key_node, yaml.ScalarNode) or key not in known:
            near = get_close_matches(key[:40], known, 1)
            right = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            name = key if key.isprintable() and len(key) <= 40 else shown(key)
            self._faults.append(
                DeclarationFault(line, name, f"unknown key of {self._what}; {right}")
            )
        elif key in self._nodes:
            first = self._key_lines[key]
            self._faults.append(DeclarationFault(line, key, f"already said on line {first}"))
        else:
            self._nodes[key], self._key_lines[key] = value, line

    def says(self, *keys: str) -> bool:
        """Whether one of the keys is there, right or wrong (or it cannot be told)."""
        return not self._is_mapping or any(key in self._nodes for key in keys)

    def fault(self, key: str, reason: str) -> None:
        """Note what is wrong with a field, at its line."""
        self._faults.append(DeclarationFault(self._key_lines.get(key, self.line), key, reason))

    def optional(self, key: str, reader: Reader[T]) -> T | NotSaid:
        """Return a field's value; NOT_SAID if it is absent, or wrong (a fault)."""
        if key not in self._nodes:
            return NOT_SAID
        try:
            return reader(self._nodes[key])
        except BadValue as fault:
            self.fault(key, str(fault))
            return NOT_SAID

    def required(self, key: str, reader: Reader[T], otherwise: T) -> T:
        """Return a field's value; ``otherwise``, with a fault, if it is absent or wrong."""
        if key not in self._nodes:
            if self._is_mapping:
                self.fault(key, f"is missing; every {self._what} needs it")
            return otherwise
        value = self.optional(key, reader)
        return otherwise if isinstance(value, NotSaid) else value

    def fields(self, key: str, known: Sequence[str]) -> "Fields | None":
        """Return the fields of a mapping below a key, None if it is absent."""
        node = self._nodes.get(key)
        return None if node is None else Fields(node, key, known, self._faults)

    def items(self, key: str, what: str, known: Sequence[str]) -> list["Fields"]:
        """Return the mappings of a list below a key; none if it is absent."""
        node = self._nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fault(key, f"must be a list; begin each {what} with a dash")
            return []
        return [Fields(item, what, known, self._faults) for item in node.value]
