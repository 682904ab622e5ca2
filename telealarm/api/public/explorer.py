"""The explorer: swagger-ui from its package. It loads nothing from other addresses."""

import asyncio
from functools import cache
from importlib import resources

from aiohttp import hdrs, web

from telealarm.api.core.links import BASE

# The media types of the files of swagger-ui-py that the page needs, by name.
FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

PAGE = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TeleAlarm</title>
<link rel="icon" href="{BASE}explorer/favicon-32x32.png">
<link rel="stylesheet" href="{BASE}explorer/swagger-ui.css">
</head>
<body>
<div id="explorer"></div>
<script src="{BASE}explorer/swagger-ui-bundle.js"></script>
<script src="{BASE}explorer/start.js"></script>
</body>
</html>
"""

START = f"""\
SwaggerUIBundle({{
  url: "{BASE}openapi.json",
  dom_id: "#explorer",
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
}});
"""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self';"
        " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
}


def is_wanted(request: web.Request) -> bool:
    """Return whether the client is a browser: it prefers HTML to JSON."""
    if request.method not in ("GET", "HEAD") or "format" in request.query:
        return False
    html = json = 0.0
    for part in request.headers.get(hdrs.ACCEPT, "")[:1000].split(","):
        media_type, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((_weight(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
        if media_type == "text/html":
            html = weight
        elif media_type == "application/json":
            json = weight
    return html > json


def page(request: web.Request) -> web.Response:
    """Return the page. It needs no login: it holds no data."""
    headers = {**_HEADERS, hdrs.VARY: "Accept", hdrs.ALLOW: "GET, HEAD, OPTIONS"}
    return web.Response(text=PAGE, content_type="text/html", headers=headers)


async def lead(request: web.Request) -> web.Response:
    """Lead a browser that was given the host alone to the explorer."""
    return web.Response(status=302, headers={hdrs.LOCATION: BASE})


async def file(request: web.Request) -> web.Response:
    """Return a file of the page. Raises HTTPNotFound for any other name."""
    name = request.match_info["name"]
    if name == "start.js":
        return web.Response(text=START, content_type="text/javascript", headers=_HEADERS)
    if name not in FILES:
        raise web.HTTPNotFound
    body = await asyncio.to_thread(_content, name)
    headers = {**_HEADERS, "Cache-Control": "max-age=3600"}
    return web.Response(body=body, content_type=FILES[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    return (resources.files("swagger_ui") / "static" / name).read_bytes()


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
