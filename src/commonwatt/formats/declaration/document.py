"""A YAML text as plain lists, mappings and scalars, with the line of everything.

Nothing is constructed from tags; scalars are taken as the text that was written, so ``factor: 0.1``
is the decimal 0.1 and ``street_number: 012`` keeps its zero. Aliases are refused.
"""

from dataclasses import dataclass, field
from typing import Self, TypeAlias

import yaml

from commonwatt.app.declaring.declaration import DeclarationFault, InvalidDeclaration
from commonwatt.formats.errors import shown

_SIZE_MAX_BYTES = 1 << 20
_DEPTH_MAX = 8
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG = "tag:yaml.org,2002:"

Path: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value."""


class Scalar(str):
    """A scalar as it was written; ``kind`` is what YAML takes it for, as str, int, bool."""

    __slots__ = ("kind",)

    def __new__(cls, node: yaml.Node) -> Self:
        """Take a node's text, of what is no scalar a sign."""
        made = super().__new__(cls, node.value if isinstance(node, yaml.ScalarNode) else "[…]")
        made.kind = str(node.tag).removeprefix(_TAG)
        return made

    kind: str


@dataclass(slots=True)
class Document:
    """A document: its content, the lines from 1 of keys and of values, keys that stand twice."""

    content: object = None
    key_lines: dict[Path, int] = field(default_factory=dict)
    value_lines: dict[Path, int] = field(default_factory=dict)
    faults: list[DeclarationFault] = field(default_factory=list)


def read_document(text: bytes) -> Document:
    """Return the single document of a YAML text. Raises `InvalidDeclaration`.

    >>> document = read_document(b"a: [1, 0.10]")
    >>> document.content, document.value_lines["a", 1]
    ({'a': ['1', '0.10']}, 1)
    """
    node = _composed(_decoded(text))
    document = Document()
    document.content = _plain(node, (), document)
    return document


def _decoded(text: bytes) -> str:
    if len(text) > _SIZE_MAX_BYTES:
        raise _invalid(1, f"the file is larger than {_SIZE_MAX_BYTES} bytes; declare it in parts")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise _invalid(line, "the text is not UTF-8") from error


def _composed(text: str) -> yaml.Node:
    try:
        _refuse_traps(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(line, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:  # characters that YAML does not allow
        raise _invalid(1, f"not YAML: {shown(str(error))}") from error
    if node is None:
        raise _invalid(1, "the file is empty; it must declare a site")
    return node


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


def _plain(node: yaml.Node, path: Path, document: Document) -> object:
    document.value_lines[path] = _line(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, (*path, at), document) for at, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    return None if node.tag == _TAG + "null" else Scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value in node.value:
        key = Scalar(key_node)
        if key in found:
            reason = f"already said on line {document.key_lines[*path, key]}"
            document.faults.append(DeclarationFault(_line(key_node), key_name(key), reason))
            continue
        document.key_lines[*path, key] = _line(key_node)
        found[key] = _plain(value, (*path, key), document)
    return found


def key_name(key: str) -> str:
    """A key as it can be shown in a line."""
    return key if key.isprintable() and len(key) <= 40 else shown(key)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
