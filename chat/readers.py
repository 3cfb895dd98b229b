"""Who reads: a cookie that no script sees and no other site sends.

A stream belongs to the reader who started it. Whoever else asks is told that there is
none: so an id that has leaked is worth nothing.
"""

import hashlib
import re
import secrets
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response

COOKIE = "reader"


def reader_of(request: Request) -> str | None:
    """Return the name of a reader in the log: a digest, as the cookie is a secret."""
    found = request.cookies.get(COOKIE, "")
    if not re.fullmatch(r"[\w-]{43}", found, re.ASCII):
        return None
    return _name(found)


def welcome(response: Response, request: Request, *, keep: int, secure: bool) -> str:
    """Give a reader a cookie for `keep` seconds, or more time if they have one."""
    known = reader_of(request)
    value = request.cookies[COOKIE] if known else secrets.token_urlsafe(32)
    response.set_cookie(
        COOKIE, value, max_age=keep, httponly=True, samesite="lax", secure=secure
    )
    return known or _name(value)


def known_reader(request: Request) -> str:
    """Return the reader, for an endpoint where nothing is there for a new one."""
    if found := reader_of(request):
        return found
    raise HTTPException(404, "There is no such stream.")


def same_origin(request: Request) -> None:
    """Refuse what the page of another site sends; browsers say whose page it is."""
    site, origin = map(request.headers.get, ("sec-fetch-site", "origin"))
    if site is None:  # an old browser, or none at all
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    else:
        ours = site == "same-origin"
    if not ours:
        raise HTTPException(403, "This page belongs to another site.")


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]
