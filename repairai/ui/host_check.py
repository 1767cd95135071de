"""Which names the page answers under: against DNS rebinding.

A page of somebody else can let its own name lead to this machine, and would then count as the same site as ours. That
name still stands in the Host header, so that whoever asks for a foreign one gets one sentence and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOCAL = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine for itself."""
TUNNEL = ".gradio.live"
"""What names of Gradio's tunnel end in."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_SHOWN = 80


class HostCheck:
    """ASGI middleware that lets through what was asked for under one of the page's names.

    Args:
        app: Gets what is let through: pages, files, streams and sockets alike.
        names: In small letters, without a port; one that begins with a dot stands for all that end in it.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = LOCAL) -> None:
        self._app = app
        self._names = frozenset(names)
        self._endings = tuple(name for name in names if name.startswith("."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("host")
        if len(given) == 1 and self._is_ours(given[0]):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008)(scope, receive, send)
        else:
            await PlainTextResponse(refusal(given[0] if given else ""), 400)(scope, receive, send)

    def _is_ours(self, header: str) -> bool:
        found = _HOST.fullmatch(header)
        host = found[1].lower() if found else ""
        return host in self._names or bool(self._endings and host.endswith(self._endings))


def refusal(header: str) -> str:
    """Return what is told to whoever asks for a foreign name."""
    seen = "".join(each for each in header if each.isprintable())[:_SHOWN]
    asked = f"this was asked for as '{seen}'" if seen else "this was asked for under no name"
    return f"RepairAI answers under names of its own machine, and {asked}; open it as http://127.0.0.1 with its port.\n"
