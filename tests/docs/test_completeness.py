"""What the product has, the pages name: settings, endpoints, errors, rules, keys, roles."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from commonwatt.adapters.store import schema
from commonwatt.api.climkit.shapes import MeterDataRow, RawRow, SiteDataRow
from commonwatt.api.http import problems
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.errors import ErrorKind
from commonwatt.domain.metering.catalogue import Mode
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.plausibility.catalogue import DESCRIPTIONS
from commonwatt.formats.readings.quality_words import QUALITY_WORDS
from commonwatt.settings import PREFIX, Settings
from tests.api.serving import application_of
from tests.docs.markdown import DOCS, ROOT, first_column, section, words_in_code
from tools.write_declaration_docs import page_with_tables, schema_text

API = DOCS / "api.md"
METHODS = {"get", "put", "post", "delete", "patch"}


def test_every_setting_is_documented_with_its_default() -> None:
    page = DOCS / "settings.md"
    documented = first_column(page.read_text(encoding="utf-8"))

    assert documented == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            row = f"| `{PREFIX}{name.upper()}` | `{field.default}` |"
            assert row in page.read_text(encoding="utf-8")


def test_every_endpoint_has_a_heading(tmp_path: Path) -> None:
    application = application_of(tmp_path)
    headings = {
        line.removeprefix("## ")
        for line in API.read_text(encoding="utf-8").splitlines()
        if line.startswith("## ") and "/" in line
    }

    document = application.app.openapi()

    application.store.database.close()
    assert headings == {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if method in METHODS
    }


def test_every_parameter_and_key_of_an_endpoint_is_in_its_section(tmp_path: Path) -> None:
    application = application_of(tmp_path)
    document = application.app.openapi()
    application.store.database.close()

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = section(API, f"{method.upper()} {path}")
            for name in _names(document, operation):
                assert f"`{name}`" in text or f'"{name}"' in text, f"{path}: {name}"


def _names(document: dict[str, object], operation: dict[str, object]) -> set[str]:
    """Names of query parameters, of keys of the body, and of keys of the answer."""
    found: set[str] = set()
    for parameter in operation.get("parameters", []):  # type: ignore[attr-defined]  # JSON
        if parameter["in"] == "query":
            found.add(parameter["name"])
    body = operation.get("requestBody")
    if body is not None and "sensor_readings" not in str(operation.get("operationId")):
        schema = body["content"]["application/json"]["schema"]  # type: ignore[index]  # JSON
        found |= _keys(document, schema)
    answer = operation["responses"]["200"]["content"]["application/json"]  # type: ignore[index]  # JSON
    if "sensor_readings" not in str(operation.get("operationId")):
        found |= _keys(document, answer["schema"])
    return found


def _keys(
    document: dict[str, object], schema: object, seen: frozenset[str] = frozenset()
) -> set[str]:
    """Names of the properties of a schema and of what it refers to, itself maybe."""
    found: set[str] = set()
    if isinstance(schema, list):
        for each in schema:
            found |= _keys(document, each, seen)
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            if name not in seen:
                inner = document["components"]["schemas"][name]  # type: ignore[index]  # JSON
                found |= _keys(document, inner, seen | {name})
        found |= set(schema.get("properties", {}))
        for part in ("items", "anyOf"):
            found |= _keys(document, schema.get(part), seen)
        found |= _keys(document, list(schema.get("properties", {}).values()), seen)
    return found


def test_every_kind_of_error_is_documented_with_its_status() -> None:
    kinds = [each for each in vars(problems).values() if isinstance(each, ErrorKind)]
    text = section(API, "Errors")

    assert first_column(text) - {"urn:commonwatt:problem:…"} == {kind.slug for kind in kinds}
    for kind in kinds:
        assert f"| `{kind.slug}` | {kind.status} |" in text


def test_every_role_is_documented() -> None:
    assert first_column(section(API, "Roles and grants")) == set(Role)


def test_every_rule_of_findings_is_documented() -> None:
    text = (DOCS / "findings.md").read_text(encoding="utf-8").partition("## What to do")
    catalogue, _, evidence = text[0].partition("The evidence is")

    assert first_column(catalogue) == set(FindingRule)
    assert first_column(evidence) <= set(FindingRule)
    assert first_column(text[2]) - {"factor", "residual"} == set(FindingRule)


def test_the_catalogue_of_findings_is_printed_as_it_is() -> None:
    page = (DOCS / "findings.md").read_text(encoding="utf-8")

    assert set(DESCRIPTIONS) == set(FindingRule)
    for rule, said in DESCRIPTIONS.items():
        assert f"\n| `{rule}` | {said.checks} | {said.limits} | {said.follows} |\n" in page, rule


def test_findings_that_need_a_decision_are_named() -> None:
    page = (DOCS / "findings.md").read_text(encoding="utf-8")
    sentence = page.partition("Findings that need somebody's decision")[2].partition(". The")[0]

    assert words_in_code(sentence) == {rule for rule in FindingRule if rule.needs_decision}


def test_the_keys_of_a_declaration_are_documented_as_its_shapes_say() -> None:
    page = (DOCS / "declaration.md").read_text(encoding="utf-8")

    assert page == page_with_tables(page), "`make docs` writes them"
    assert (
        page_with_tables(page.replace("| name of the meter |", "| a name |\n| `k` | 1 |")) == page
    )


def test_the_schema_for_editors_is_that_of_the_shapes() -> None:
    schema = (DOCS / "declaration.schema.json").read_text(encoding="utf-8")

    assert schema == schema_text(), "`make docs` writes it"


def test_every_quality_has_its_code_in_the_glossary() -> None:
    text = section(DOCS / "glossary.md", "Quality")

    for quality in Quality:
        word = quality.name.lower()
        assert f"| {quality.value} | `{word}` |" in text or f"| {quality.value} | {word} |" in text
    assert {"measured", "estimated", "placeholder"} <= words_in_code(text)


def test_every_word_of_a_sender_is_in_the_glossary() -> None:
    text = section(DOCS / "glossary.md", "Quality")

    for word, quality, sender in QUALITY_WORDS:
        assert f"\n| `{word}` | {quality.name.lower()} | {sender} |\n" in text


def test_every_dependency_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(each for extra in extras for each in extra)]
    lines = (ROOT / "requirements" / "test.in").read_text(encoding="utf-8").splitlines()
    wanted += [line for line in lines if line and line[0] not in "#-"]
    cells = re.findall(
        r"^\| ([^|]+) \|", (DOCS / "libraries.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    documented = set(re.findall(r"[a-z0-9-]+", " ".join(cells)))

    assert {Requirement(each).name.lower() for each in wanted} <= documented


def test_every_table_of_the_store_is_in_the_architecture() -> None:
    documented = first_column(section(DOCS / "architecture.md", "The store"))

    assert documented == set(schema.metadata.tables)


def test_every_line_of_the_log_that_is_explained_is_one_of_the_product() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "commonwatt").rglob("*.py")
    )

    lines = first_column(section(DOCS / "operation.md", "Logs and health"))

    assert len(lines) == 22
    for line in lines:
        assert all(part.strip() in sources for part in line.split("…") if part.strip()), line


def test_every_column_has_its_words_in_three_languages() -> None:
    table = section(DOCS / "glossary.md", "In German, French and Italian")
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    words = {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}

    for model in (SiteDataRow, MeterDataRow, RawRow):
        for column in set(model.model_fields) - {"timestamp"}:
            assert all(words[column]), column
            assert len(words[column]) == 3
    assert set(Mode) <= words.keys()
