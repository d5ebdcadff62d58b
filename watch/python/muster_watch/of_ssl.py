# SPDX-License-Identifier: MIT
"""
ssl: certificates that are loaded into a context

What loads them is written in C, so here is a wrapper after all; it takes itself out of the traceback of an exception (Python 3.11 and later).
"""

import sys
from time import monotonic_ns as now

from . import log, sites


def _site(frame):
    """Of who asks for it; while a library is imported nobody does."""
    f = frame
    while f is not None:
        if f.f_code.co_filename.startswith("<frozen importlib"):
            return 0
        if sites.kind_of(f.f_code).__class__ is dict:
            break
        f = f.f_back
    return sites.of(frame)


def _loaded(start, frame):
    try:
        log.put(("context", start, now() - start, _site(frame)))
    except Exception:
        pass


def _timed(function):
    def load(self, *args, **kwargs):
        start = now()
        try:
            return function(self, *args, **kwargs)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next
            raise
        finally:
            _loaded(start, sys._getframe(1))

    load.__name__, load.__qualname__, load.__doc__ = function.__name__, function.__qualname__, function.__doc__
    return load


def in_ssl(module):
    context = module.SSLContext
    for name in ("load_verify_locations", "set_default_verify_paths"):
        if name not in context.__dict__:
            setattr(context, name, _timed(getattr(context, name)))
