"""The headers that every response has, whoever wrote it: also aiohttp's own errors.

No response tells versions. A page may load and send nothing but what its own policy allows, and no
other site may show it in a frame.
"""

from aiohttp import hdrs, web

SERVER = "TeleAlarm"
# For a page that has no policy of its own: it is text, and nothing more.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGES = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def complete(response: web.StreamResponse) -> None:
    """Add the headers, before the response is sent. A header that it has already stays."""
    headers = response.headers
    headers[hdrs.SERVER] = SERVER
    own = _ALWAYS | _PAGES if _is_page(response) else _ALWAYS
    for name, value in own.items():
        headers.setdefault(name, value)


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Do so for each response of an application (its signal `on_response_prepare`)."""
    complete(response)


def _is_page(response: web.StreamResponse) -> bool:
    """Return whether a browser shows it as a document that can run scripts."""
    return response.content_type in ("text/html", "application/xhtml+xml", "image/svg+xml")
