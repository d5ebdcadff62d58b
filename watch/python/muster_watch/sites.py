# SPDX-License-Identifier: MIT
"""
Places in the program's own code

A site is the innermost frame that belongs neither to the language nor to an installed library. Each code object is judged once; each place in one
gets a number when it is first met, and a row in the log. The walk looks up two dictionaries a frame.
"""

import os
import sys

from . import log

LIBRARY = None
INSTALLED = False  # of a library that is none of the language or of HTTP
EDGE = ()  # below it is the event loop, and what started that

_getframe = sys._getframe
_gettrace = sys.gettrace
_codes = {}  # id(code): LIBRARY, INSTALLED, EDGE, or a dict of sites by instruction
_kept = []  # the codes themselves, so that no other gets their id
_n_sites = 0
edges = set()  # ids of the program's own frames that run a loop which has no frames
_places = {}  # (file, line, function): site
_asking = set()  # sites that made a request, or called what made one

_language = {os.path.realpath(os.path.dirname(os.__file__)) + os.sep, os.path.dirname(os.__file__) + os.sep}
_own = os.path.dirname(os.path.abspath(__file__)) + os.sep
_clients = {
    "aiohttp", "httpx", "httpcore", "requests", "urllib3", "anyio", "h11", "h2", "hpack", "hyperframe", "yarl", "multidict", "aiosignal", "frozenlist",
    "async_timeout", "sniffio", "uvloop", "trio", "aiohappyeyeballs", "certifi", "pip", "tenacity", "backoff", "requests_toolbelt", "requests_cache",
}  # fmt: skip
_edges = {
    ("events.py", "_run"), ("base_events.py", "_run_once"), ("base_events.py", "run_forever"), ("base_events.py", "run_until_complete"),
    ("runners.py", "run"),
}  # fmt: skip


def _judge(code):
    name = code.co_filename
    if name.startswith("<"):
        kind = LIBRARY if name.startswith("<frozen") else {}
    elif name.startswith(_own):
        kind = LIBRARY
    elif "/site-packages/" in name or "/dist-packages/" in name:
        package = name.replace("/dist-packages/", "/site-packages/").rpartition("/site-packages/")[2].partition("/")[0]
        kind = LIBRARY if package in _clients else INSTALLED
    elif any(name.startswith(folder) for folder in _language):
        folder, _, file = name.rpartition(os.sep)
        kind = EDGE if folder.endswith("asyncio") and (file, code.co_name) in _edges else LIBRARY
    else:
        kind = {}
    _kept.append(code)
    _codes[id(code)] = kind
    return kind


def number(file, line, function):
    """The site of a place that is known by name."""
    global _n_sites
    key = (file, line, function)
    site = _places.get(key)
    if site is None:
        _n_sites += 1
        site = _places[key] = _n_sites
        log.put(("site", site, os.path.abspath(file) if not file.startswith("<") else file, line, function))
    return site


def _number_of(frame, kind):
    code = frame.f_code
    site = number(code.co_filename, frame.f_lineno or code.co_firstlineno, getattr(code, "co_qualname", code.co_name))
    if kind.__class__ is dict:
        kind[frame.f_lasti] = site
    return site


def of_client(code):
    """Is it of asyncio, or of a library of HTTP?"""
    name = code.co_filename
    return "/asyncio/" in name or ("-packages/" in name and kind_of(code) is LIBRARY)


def kind_of(code):
    kind = _codes.get(id(code), 0)
    return _judge(code) if kind.__class__ is int else kind


def of(frame):
    """The site of the innermost frame from this one outwards; 0: there is none."""
    installed = None
    while frame is not None:
        code = frame.f_code
        kind = _codes.get(id(code), 0)
        if kind is not LIBRARY:
            if kind.__class__ is dict:
                if edges and id(frame) in edges:
                    break
                return kind.get(frame.f_lasti) or _number_of(frame, kind)
            if kind.__class__ is int:
                kind = _judge(code)
                continue
            if kind is EDGE:
                break
            installed = installed or frame
        frame = frame.f_back
    return _number_of(installed, INSTALLED) if installed is not None else 0


def _made_one(frame, event, arg):
    """Marks a frame that has made a request. It does nothing: no more than a debugger would call it."""


def pair(frame):
    """
    The site of the innermost such frame, and that of the frame of theirs which called it. 0: there is none, or that frame has made a request before,
    so that what repeats it is in there. Such a frame is marked by what it is traced with, where nobody traces: the mark ends with the frame.
    """
    site = 0
    kind_of = _codes.get
    while frame is not None:
        kind = kind_of(id(frame.f_code), 0)
        if kind is LIBRARY:
            frame = frame.f_back
            continue
        if kind.__class__ is dict:
            if edges and id(frame) in edges:
                break
            found = kind.get(frame.f_lasti) or _number_of(frame, kind)
            if found not in _asking:
                _asking.add(found)
            if site:
                return site, found
            if frame.f_trace is not None:
                return found, 0
            if _gettrace() is None:
                frame.f_trace = _made_one
            site = found
        elif kind.__class__ is int:
            _judge(frame.f_code)
            continue
        elif kind is EDGE or (kind is INSTALLED and not site):
            break
        frame = frame.f_back
    return (site or of(frame)), 0


def has_asked(frame):
    """Is this frame, or one outwards, of a function that has made requests or called what did?"""
    while frame is not None:
        kind = kind_of(frame.f_code)
        if kind is EDGE or (edges and id(frame) in edges):
            return False
        if kind.__class__ is dict and not _asking.isdisjoint(kind.values()):
            return True
        frame = frame.f_back
    return False


def here(depth=2):
    """The site of who called the caller's caller."""
    return of(_getframe(depth))


def forget():
    """After a fork: the child's log has no sites yet."""
    global _n_sites
    _n_sites = 0
    _places.clear()
    _codes.clear()
    _asking.clear()
