"""Who reads: a cookie that no script sees and no other site sends.

A stream belongs to the reader who started it. Whoever else asks is told that there is
none: so an id that has leaked is worth nothing.
"""

import hashlib
import re
import secrets

from fastapi import HTTPException, Request, Response

from .settings import Settings


class Readers:
    """Knows readers by their cookie, and gives it to new ones."""

    def __init__(self, settings: Settings) -> None:
        # Under such a name, a browser takes it over HTTPS alone, and from this host
        # alone: a neighbour's page, at another name of the domain, cannot plant one.
        self._cookie = "__Host-reader" if settings.secure else "reader"
        self._keep, self._secure = settings.keep, settings.secure

    def of(self, request: Request) -> str | None:
        """Return a reader's name in the log: a digest, as the cookie is a secret."""
        found = request.cookies.get(self._cookie, "")
        return _name(found) if re.fullmatch(r"[\w-]{43}", found, re.ASCII) else None

    def welcome(self, response: Response, request: Request) -> str:
        """Give a new reader a cookie, and a known one more time; return the name."""
        known = self.of(request)
        value = request.cookies[self._cookie] if known else secrets.token_urlsafe(32)
        response.set_cookie(
            self._cookie,
            value,
            max_age=self._keep,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )
        return known or _name(value)

    async def known(self, request: Request) -> str:
        """Return the reader, for an endpoint where nothing is there for a new one."""
        if found := self.of(request):
            return found
        raise HTTPException(404, "There is no such stream.")


async def same_origin(request: Request) -> None:
    """Refuse what the page of another site sends; browsers say whose page it is."""
    site, origin, host = map(request.headers.get, ("sec-fetch-site", "origin", "host"))
    if site is None:  # an old browser, or none at all
        ours = origin in (None, f"http://{host}", f"https://{host}")
    else:
        ours = site == "same-origin"
    if not ours:
        raise HTTPException(403, "This page belongs to another site.")


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]
