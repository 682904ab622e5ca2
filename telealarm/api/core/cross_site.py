"""Refuses writes that a page of another site makes a browser send, with the login it keeps."""

from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from telealarm.api.core.errors import ApiError
from telealarm.api.core.links import BASE

SAFE = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)


def guard(public_url: str | None) -> Middleware:
    """Return the middleware. `public_url` is the service's own address beside the Host header."""
    public = _host(public_url) if public_url else None

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a write by a foreign Origin. Programs that are no browsers send no Origin."""
        if request.method not in SAFE and request.path.startswith(BASE):
            site = request.headers.get("Sec-Fetch-Site")
            origin = request.headers.get(hdrs.ORIGIN)
            if site is not None:
                foreign = site not in ("same-origin", "none")
            else:
                own = _host(f"{request.scheme}://{request.host}"), public
                foreign = origin is not None and (_host(origin) or origin) not in own
            if foreign:
                raise ApiError(
                    403, "A page of another site may not write; open the API by its own address."
                )
        return await handler(request)

    return refuse


def _host(url: str) -> str | None:
    """Return host and port of an address, without a scheme's usual port. None: it has no host."""
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        port = "" if parts.port in (None, usual) else f":{parts.port}"
    except ValueError:
        return None
    return f"{parts.hostname}{port}" if parts.hostname else None
