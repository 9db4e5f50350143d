"""The few pages of our own: sign in with a token, and why somebody sees nothing else."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from data_platform.orchestration.webserver.asking import COOKIE

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Research data</title>
<style>body{{font:16px system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem}}</style></head>
<body><h1>Research data</h1><p>{message}</p>{form}</body></html>
"""
_FORM: Final = """<form method="post" action="/sign-in"><label>Token <input type="password" name="token" size="40"
autocomplete="off" autofocus></label> <button>Sign in</button></form>"""


def refusal(message: str, status: int, *, page: bool, form: bool = False) -> Response:
    """An answer that says no: a page for a browser's window, JSON for everything else."""
    headers = {**_HEADERS, **({"WWW-Authenticate": "Bearer"} if status == 401 else {})}  # noqa: PLR2004 - HTTP's figure
    if not page:
        return JSONResponse({"error": message}, status_code=status, headers=headers)
    filled = _PAGE.format(message=html.escape(message), form=_FORM if form else "")
    return HTMLResponse(filled, status_code=status, headers=headers)


def plain(document: Mapping[str, object], status: int, more: Mapping[str, str] | None = None) -> Response:
    """An answer for programs: a JSON document that nobody may keep."""
    sign = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 - HTTP's figure
    return JSONResponse(document, status_code=status, headers={**_HEADERS, **sign, **(more or {})})


def signed_in(token: str, *, secure: bool) -> Response:
    """Lead to the UI with the token in a cookie that no script and no other site can use."""
    answer = RedirectResponse("/", status_code=303, headers=_HEADERS)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
    return answer


def signed_out() -> Response:
    """Lead to the sign-in page without the cookie."""
    answer = RedirectResponse(SIGN_IN, status_code=303, headers=_HEADERS)
    answer.delete_cookie(COOKIE, path="/")
    return answer
