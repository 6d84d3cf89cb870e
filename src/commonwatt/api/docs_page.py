"""Interactive documentation without the internet: its files come from installed packages."""

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


def add_docs_page(app: FastAPI) -> None:
    """Serve Swagger UI at /docs, on the app's own OpenAPI document."""

    async def page(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{_FILES_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_FILES_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_FILES_PATH}/favicon.png",
        )

    app.router.routes.append(Route("/docs", page, methods=["GET"]))
    app.mount(_FILES_PATH, StaticFiles(directory=_FILES), name="docs-files")
