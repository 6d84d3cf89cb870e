"""Write what docs/ takes from the shapes of a declaration: the tables of keys, and the JSON Schema.

`make docs` runs it.
"""

import json
import re
from pathlib import Path

from commonwatt.formats.declaration import shapes

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, SCHEMA = DOCS / "declaration.md", DOCS / "declaration.schema.json"

_SHAPES: dict[str, type[shapes.Shape]] = {
    "site": shapes.Site,
    "address": shapes.SiteAddress,
    "electricity": shapes.Electricity,
    "meters": shapes.Meter,
    "Devices": shapes.Device,
    "sensors": shapes.Sensor,
}
"""The shape whose keys are the first table below a heading of the page."""
_HEAD = "| key | default | meaning |\n|---|---|---|\n"
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def page_with_tables(page: str) -> str:
    """Return the text of the page with the tables that the shapes say."""
    for heading, shape in _SHAPES.items():
        before, name, after = re.split(rf"^(##+ {heading}\n)", page, maxsplit=1, flags=re.MULTILINE)
        text, head, table = after.partition(_HEAD)
        rest = re.sub(r"\A(\|.*\n)*", "", table)
        page = "".join([before, name, text, head, *_rows(shape), rest])
    return page


def _rows(shape: type[shapes.Shape]) -> list[str]:
    keys = shape.model_json_schema()["properties"]
    return [
        f"| `{key}` | {said['x-default']} | {said['description']} |\n" for key, said in keys.items()
    ]


def schema_text() -> str:
    """Return the JSON Schema; editors show text, in which links lead nowhere."""
    schema = shapes.File.model_json_schema()
    for shape in (schema, *schema["$defs"].values()):
        for key in shape.get("properties", {}).values():
            key.pop("title", None)
            default, meaning = key.pop("x-default"), _LINK.sub(r"\1", key["description"])
            without = "required" if default == "required" else f"default: {default}"
            key["description"] = f"{meaning} ({without})"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
