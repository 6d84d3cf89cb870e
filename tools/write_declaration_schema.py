"""Write docs/declaration.schema.json, by which editors check and complete a declaration."""

import json
from pathlib import Path

from commonwatt.formats.declaration.shapes import json_schema

TARGET = Path(__file__).resolve().parents[1] / "docs" / "declaration.schema.json"

if __name__ == "__main__":
    TARGET.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
