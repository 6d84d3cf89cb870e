"""What / answers: where everything is, as a page for browsers and as JSON for others."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from commonwatt import __version__

_PLACES = {
    "documentation": ("/docs", "Everything it answers, to try out"),
    "openapi": ("/openapi.json", "The same as an OpenAPI document"),
    "climkit_api": ("/api/v1", "The published API; POST /api/v1/auth signs in"),
    "own_api": ("/commonwatt/v1", "Our own: readings in, series, findings, explanations out"),
    "health": ("/health", "Whether it lives"),
    "ready": ("/ready", "Whether it can answer"),
}
_PAGES = {"/docs", "/openapi.json", "/health", "/ready"}


def add_start_page(app: FastAPI) -> None:
    """Answer / with where things are; behind a proxy the paths begin as the proxy's do."""

    async def start(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_page(root))
        paths = {name: root + path for name, (path, _) in _PLACES.items()}
        return JSONResponse({"name": "commonwatt", "version": __version__, **paths})

    app.router.routes.append(Route("/", start, methods=["GET"]))


def _page(root: str) -> str:
    lines = [f"<li>{_link(root, path)}: {words}</li>" for path, words in _PLACES.values()]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>commonwatt</title>'
        f"<h1>commonwatt {__version__}</h1><ul>{''.join(lines)}</ul></html>"
    )


def _link(root: str, path: str) -> str:
    return f'<a href="{root}{path}">{path}</a>' if path in _PAGES else f"<code>{path}</code>"
