"""Interactive documentation without the internet: its files come from installed packages."""

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

_FILES = Path(fastapi_offline.__file__).parent / "static"
_FILES_PATH = "/docs/files"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_docs_page(app: FastAPI) -> None:
    """Serve Swagger UI at /docs, on the app's own OpenAPI document."""

    async def page(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "").rstrip("/")
        answer = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{_FILES_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_FILES_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_FILES_PATH}/favicon.png",
        )
        answer.headers["Content-Security-Policy"] = _policy(bytes(answer.body))
        return answer

    app.router.routes.append(Route("/docs", page, methods=["GET"]))
    app.mount(_FILES_PATH, StaticFiles(directory=_FILES), name="docs-files")


def _policy(page: bytes) -> str:
    """What the page may load: our own files, its own script by its hash, images it has drawn."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
