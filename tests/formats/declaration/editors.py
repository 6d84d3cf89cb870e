"""A declaration as an editor checks it: by its JSON Schema, and by YAML 1.2."""

import json
import re

import jsonschema_rs
import yaml

from tests.docs.markdown import DOCS


class _EditorLoader(yaml.SafeLoader):
    """Takes dates, and yes and no, for text."""


_EditorLoader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if not each[0].endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_EditorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), ["t", "f"])


def check_as_editors_do(text: str) -> None:
    """Raise what an editor would underline first in a declaration."""
    schema = json.loads((DOCS / "declaration.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validate(schema, yaml.load(text, Loader=_EditorLoader))
