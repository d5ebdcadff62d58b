# SPDX-License-Identifier: MIT
"""
What is to be done when a library is imported

A finder in front of all others knows the names of modules that are seen to. It lets the other finders find, and has the module's loader call us when the
module has run. Nothing is imported that the program does not import. What is there already is seen to at once.
"""

import sys

_wanted = {}  # name of a module: functions that are given it
_before = {}  # name of a module: function that is given None when it is about to be loaded

# Frames of this name are left out of tracebacks by the interpreter.
_MACHINERY = "<frozen importlib._bootstrap>"


def when(name, function):
    module = sys.modules.get(name)
    if module is not None:
        _do(function, module)
    else:
        _wanted.setdefault(name, []).append(function)


def before(name, function):
    _before[name] = function
    _wanted.setdefault(name, [])


def _do(function, module):
    try:
        function(module)
    except Exception:
        pass


def _executing(loader, name):
    functions = _wanted.pop(name)
    exec_module = loader.exec_module

    def run(module):
        exec_module(module)
        for function in functions:
            _do(function, module)

    run.__code__ = run.__code__.replace(co_filename=_MACHINERY)
    return run


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _wanted:
            return None
        for finder in sys.meta_path:
            if finder is _Finder or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if name in _before:
                    _do(_before.pop(name), None)
                try:
                    spec.loader.exec_module = _executing(spec.loader, name)
                except Exception:
                    pass
                return spec
        return None


def begin():
    sys.meta_path.insert(0, _Finder)
