"""What clients share: cookies, and the hosts that want https only. Both may be given to any number of clients, and used from any thread."""

from typing import NamedTuple

from . import _engine


class Cookie(NamedTuple):
    """A cookie of a jar. `expires` is in Unix time; None: it ends with the session."""

    name: str
    value: str
    domain: str
    path: str
    expires: "int | None"
    host_only: bool
    secure: bool
    http_only: bool
    same_site: "str | None"


class CookieJar(_engine.Jar):
    """Cookies that clients send and fill: `Client(cookies=jar)`. A path is that of a file to begin with.

    load(path), save(path)   a file in Netscape format, as curl and browsers have it
    set(url, line)           as a response from `url` with "Set-Cookie: `line`" does; False: it may not be set there
    iter(jar), len(jar)      its cookies, the oldest first, without those that are out of date
    """

    __slots__ = ()

    def __new__(cls, path=None):
        jar = super().__new__(cls)
        if path is not None:
            jar.load(path)
        return jar

    def __iter__(self):
        return map(Cookie._make, self.cookies())

    def __len__(self):
        return len(self.cookies())

    def __bool__(self):
        return True  # an empty one is a jar, too

    def __repr__(self):
        return f"<CookieJar of {len(self)}>"


class HSTS(_engine.HSTS):
    """Hosts that want https only (RFC 6797), which clients obey and learn: `Client(hsts=hosts)`. A path is that of a file to begin with, as curl
    and save(path) write it; it need not be there yet."""

    __slots__ = ()

    def __new__(cls, path=None):
        hosts = super().__new__(cls)
        if path is not None:
            hosts.load(path)
        return hosts
