# SPDX-License-Identifier: MIT
"""
Code of ours inside of a library's function

A wrapper around a function would stand in every traceback that passes through it, would shift the `stacklevel` of warnings, and costs a call. So the
function's own source is taken, statements are put into its tree, and the function is given the code that follows: the object, its name, its lines
and columns stay what they were, and an exception has no frame of ours.

It is done only where the source compiles to the code that the function has. Otherwise the function is left alone and False is returned. What was made is kept
for the next time (cache.py).
"""

from . import cache

_ONLY_AST = 0x400
_FUTURES = 0x1FF0000  # flags of code that come from "from __future__ import"
_FUNCTIONS = ("FunctionDef", "AsyncFunctionDef", "Lambda")


def into(function, names, before="", then="", failed="", edit=None):
    """
    Put statements into a function; each is Python text, in which the function's variables and `names` may stand.

    before   at its begin
    then     before it returns, when it has what it returns, which is `_mw_value`
    failed   when an exception leaves it
    edit     a function that is given the function's node, to change more

    What stands there must not fail: nobody sees to that here.
    """
    try:
        code = function.__code__
        key = "%s:%d:%s:%s:%s:%s" % (function.__qualname__, code.co_firstlineno, before, then, failed, edit and edit.__name__)
        new = cache.get(code.co_filename, key)
        if new is None:
            new = _made(function, before, then, failed, edit)
            cache.put(code.co_filename, key, new)
        if not new:
            return False
        function.__globals__.update(names)
        function.__code__ = new
        return True
    except Exception:
        return False


def _made(function, before, then, failed, edit):
    """The function's code with the statements in it; False: it is to be left alone."""
    code = function.__code__
    try:
        tree, node = _parsed(function)
        if not _same(_find(_compiled(tree, code), code), code):
            return False
        if edit is not None:
            edit(node)
        if then:
            if not _is_exit(node.body[-1]):
                node.body.append(_at(_statement("return"), node.body[-1]))
            _put_before_returns(node, then)
        first = node.body[0]
        if failed:
            node.body = [_try(node.body, failed)]
        if before:
            node.body[:0] = [_at(statement, first) for statement in _statements(before)]
        new = _find(_compiled(tree, code), code)
        return new if new.co_freevars == code.co_freevars else False
    except Exception:
        return False


def statements(source):
    """For edit functions: what stands in `source`, as nodes that have no lines yet."""
    return _statements(source)


def at(node, where):
    """For edit functions: a node, and all in it, at another's line."""
    return _at(node, where)


def walk(node):
    """All nodes from this one on, functions in it left out."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        for child in _children(node):
            if child.__class__.__name__ not in _FUNCTIONS:
                todo.append(child)


def _children(node):
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            for item in value:
                if hasattr(item, "_fields"):
                    yield item
        elif hasattr(value, "_fields"):
            yield value


def _statements(source):
    return compile(source, "<muster>", "exec", _ONLY_AST, True).body


def _statement(source):
    return _statements("def _f():\n  " + source)[0].body[0]


def _at(node, where):
    line, column = where.lineno, where.col_offset
    todo = [node]
    while todo:
        n = todo.pop()
        if "lineno" in n._attributes:
            n.lineno = n.end_lineno = line
            n.col_offset = n.end_col_offset = column
        todo.extend(_children(n))
    return node


def _try(body, failed):
    node = _statement("try:\n    pass\n  except:\n    raise")
    node.handlers[0].body[:0] = _statements(failed)
    _at(node, body[0])
    node.body = body
    return node


def _is_exit(node):
    return node.__class__.__name__ in ("Return", "Raise")


def _put_before_returns(node, then):
    for parent in list(walk(node)):
        for field in parent._fields:
            body = getattr(parent, field, None)
            if isinstance(body, list) and any(child.__class__.__name__ == "Return" for child in body):
                body[:] = [new for child in body for new in (_returning(child, then) if child.__class__.__name__ == "Return" else (child,))]


def _returning(node, then):
    """A return statement, and what comes before it."""
    keep = _at(_statement("_mw_value = None"), node)
    keep.value = node.value or keep.value
    node.value = _at(_statement("return _mw_value"), node).value
    return [keep, *(_at(statement, node) for statement in _statements(then)), node]


def _parsed(function):
    """The tree of its source, which has the function alone, in its lines and classes; and the function's node."""
    code = function.__code__
    classes = function.__qualname__.split(".")[:-1]
    if "<locals>" in classes:
        raise ValueError(function.__qualname__)
    with open(code.co_filename, "rb") as file:
        lines = file.read().decode("utf-8").split("\n")
    first = code.co_firstlineno - 1
    indent = len(lines[first]) - len(lines[first].lstrip())
    head = ["" for _ in range(first - len(classes))] + [" " * i + "class " + name + ":" for i, name in enumerate(classes)]
    for end in range(first + 1, len(lines) + 1):
        line = lines[end] if end < len(lines) else "x"
        begins = line.lstrip()[:1]
        if begins and len(line) - len(line.lstrip()) <= indent and (begins.isalpha() or begins in "@_#"):
            try:
                tree = compile("\n".join(head + lines[first:end]) + "\n", code.co_filename, "exec", _ONLY_AST | (code.co_flags & _FUTURES), True)
            except SyntaxError:
                continue
            node = _function_of(tree)
            if node is not None:
                node.decorator_list = []
                return tree, node
    raise ValueError(function.__qualname__)


def _function_of(tree):
    for node in tree.body:
        name = node.__class__.__name__
        if name == "ClassDef":
            return _function_of(node)
        if name in ("FunctionDef", "AsyncFunctionDef"):
            return node
    return None


def _compiled(tree, code):
    return compile(tree, code.co_filename, "exec", code.co_flags & _FUTURES, True)


def _find(code, like):
    if code.co_name == like.co_name and code.co_code is not None and code.co_argcount == like.co_argcount and code.co_varnames[:1] == like.co_varnames[:1]:
        return code
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            found = _find(const, like)
            if found is not None:
                return found
    return None


def _same(new, code):
    """
    Whether the source is that of the code. Instructions may differ a little: the compiler calls what a module imports in another way, and here the module's
    imports are missing.
    """
    if new is None or (new.co_names, new.co_varnames, new.co_freevars, new.co_cellvars) != (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
        return False
    return new.co_code == code.co_code or (hasattr(code, "co_lines") and _lines(new) == _lines(code) and _constants(new) == _constants(code))


def _lines(code):
    return sorted({line for _, _, line in code.co_lines() if line is not None} - {code.co_firstlineno})


def _constants(code):
    return [(type(value), None if hasattr(value, "co_code") else value) for value in code.co_consts]
