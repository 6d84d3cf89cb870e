"""The OpenAPI document, completed: who must sign in, and the one shape of all errors."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from commonwatt.api.http.documentation import problem_schema

_OPEN_PATHS = {"/api/v1/auth", "/health", "/ready"}
_BEARER = "bearer"
_DESCRIPTION = """\
An open metering-data platform for buildings and energy communities. `/api/v1` speaks the published
Climkit Developer API v1; this is an independent implementation of it. `/commonwatt/v1` is our own
surface: readings go in there, and it explains what comes out.

- **Energy** is in kWh, **volume** in m3, with three decimals; what is missing is left out, never 0.
- **Times in** without a zone are UTC. **Times out** on `/api/v1` are the site's local time with
  its offset; sensors and our own surface answer UTC.
- **Errors** are problem details (RFC 9457). Checks come in this order: token (401), rate (429),
  site (404), role (403), input (422), meter or sensor (404), closed meter (403), readings of a rule
  meter (409).
- A site that does not exist and one that is not granted are answered alike.
"""


def complete_openapi(app: FastAPI) -> None:
    """Make an app answer the completed document at its openapi_url."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the framework's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=_DESCRIPTION,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = problem_schema()
    components["securitySchemes"] = {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of /api/v1/auth, or a long-lived key of the account.",
        }
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                _fill_in(parameter)
            operation["security"] = [] if path in _OPEN_PATHS else [{_BEARER: []}]
    return document


def _fill_in(parameter: dict[str, Any]) -> None:
    """Give a parameter that is required its example: the page fills that in, and nothing else."""
    examples = parameter["schema"].get("examples")
    if parameter["required"] and examples:
        parameter["example"] = examples[0]
