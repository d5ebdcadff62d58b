"""Who calls whom among the modules of one library, and whether somebody calls upwards.

    calls.py build/src/core/libmuster-core.a                 prints the table and the rings
    calls.py build/src/core/libmuster-core.a core.order      checks it against an order, too; the exit status is 1 if it is not kept

A module is an object of the archive. It calls another if it needs a symbol that the other defines; a table of functions that is handed down is no
call of whoever gets it. An order (core.order explains itself) has a line for each tier, the highest first, and names the calls upwards that are
known and still allowed.
"""
import collections
import os
import re
import subprocess
import sys

NM = os.environ.get("NM", "nm")
OBJECT = re.compile(r"(?:.*[\[:/])?(?P<module>[^/\[\]:]+?)\.c\.o(?:bj)?\]?: (?P<symbol>\S+) (?P<kind>\S)")


def read_calls(archive):
    """{module: {module that it calls: {symbols}}}, with every module of the archive as a key."""
    listed = subprocess.run([NM, "--format=posix", "--print-file-name", "--extern-only", archive], stdout=subprocess.PIPE, text=True, check=True).stdout
    defined, needed = {}, collections.defaultdict(set)
    modules = set()
    for line in listed.splitlines():
        found = OBJECT.match(line)
        if not found:
            sys.exit(f"calls.py: {archive}: nm printed a line that is not understood: {line}")
        module, symbol, kind = found["module"], found["symbol"], found["kind"]
        modules.add(module)
        if kind in "Uwv":
            needed[module].add(symbol)
        else:
            defined[symbol] = module
    calls = {module: collections.defaultdict(set) for module in sorted(modules)}
    for module, symbols in needed.items():
        for symbol in symbols:
            if defined.get(symbol, module) != module:
                calls[module][defined[symbol]].add(symbol)
    return calls


def find_rings(calls):
    """Groups of modules that all reach each other (Tarjan's strongly connected components of more than one)."""
    index, low, stack, rings = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for callee in calls[module]:
            if callee not in index:
                visit(callee)
            if callee in stack:
                low[module] = min(low[module], low[callee])
        if low[module] == index[module]:
            ring = stack[stack.index(module):]
            del stack[stack.index(module):]
            if len(ring) > 1:
                rings.append(sorted(ring))

    for module in calls:
        if module not in index:
            visit(module)
    return sorted(rings)


def read_order(path):
    """({module: tier, 0 the highest}, {(caller, callee) that is allowed to be upwards})"""
    tiers, allowed = {}, set()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].strip()
            if "->" in line:
                caller, callees = line.split("->")
                allowed |= {(caller.strip(), callee) for callee in callees.split()}
                continue
            for module in line.split():
                if module in tiers:
                    sys.exit(f"calls.py: {path}:{number}: {module} has a line already")
                tiers[module] = number
    return tiers, allowed


def check(calls, path):
    """What is wrong, each with what to do."""
    tiers, allowed = read_order(path)
    wrong = [f"{module} has no line in {path}: put it below all who call it" for module in calls if module not in tiers]
    wrong += [f"{path} names {module}, which does not exist: take it out" for module in tiers if module not in calls]
    upwards = {(caller, callee): symbols for caller, callees in calls.items() for callee, symbols in callees.items()
               if caller in tiers and callee in tiers and tiers[callee] < tiers[caller]}
    for (caller, callee), symbols in sorted(upwards.items()):
        if (caller, callee) not in allowed:
            wrong.append(f"{caller} calls upwards: {callee} stands above it in {path}, and it needs {', '.join(sorted(symbols))}. "
                         f"Have {callee} hand down a table of functions, or return what it is to know")
    wrong += [f"{path} allows {caller} -> {callee}, which is gone: take it out" for caller, callee in sorted(allowed - set(upwards))]
    without = {caller: [callee for callee in callees if (caller, callee) not in allowed] for caller, callees in calls.items()}
    wrong += [f"these call each other in a ring: {', '.join(ring)}" for ring in find_rings(without)]
    return wrong


def print_table(calls, order):
    """A line for each module, in the order's order; upward calls stand in brackets."""
    tiers = read_order(order)[0] if order else {}
    width = max(map(len, calls))
    for caller in sorted(calls, key=lambda module: (tiers.get(module, 0), module)):
        callees = sorted(calls[caller], key=lambda module: (tiers.get(module, 0), module))
        words = [f"[{callee}]" if tiers.get(callee, 0) < tiers.get(caller, 0) else callee for callee in callees]
        print(f"{caller:{width}} -> {' '.join(words)}".rstrip(" ->"))
    rings = find_rings(calls)
    for ring in rings:
        print(f"\n{len(ring)} modules call each other in a ring: {' '.join(ring)}")
    if not rings:
        print("\nno rings")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    archive, order = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None
    calls = read_calls(archive)
    print_table(calls, order)
    wrong = check(calls, order) if order else []
    for sentence in wrong:
        print(f"calls.py: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
