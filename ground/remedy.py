"""A command line with the option of a finding: "--concurrency 64 --per-host 8", "without --http1.0"."""
import re
import shlex

# A word of the command line; what follows it may be the shell's.
VALUE = r"[^\s;|&)]+"
ALIASES = {"--concurrency": "-c"}
FLAGS = {"--http1.0", "--http1.1", "--http2-prior-knowledge", "--no-reuse", "--process-inline", "--location", "--no-redirects"}


def spelling_of(name, run):
    """As the option is spelt in a command line; None where it is not there."""
    return next((spelling for spelling in (name, ALIASES.get(name, name)) if re.search(rf"\s{re.escape(spelling)}(?=\s|$)", run)), None)


def without_option(run, name):
    spelling = spelling_of(name, run)
    argument = "" if name in FLAGS else rf"\s+{VALUE}"
    return re.sub(rf"\s{re.escape(spelling)}{argument}(?=\s|;|$)", "", run) if spelling else run


def with_option(run, name, value):
    """An option that is there already is given its new value."""
    spelling = spelling_of(name, run)
    if name == "--http1.1":  # the last one of these would count
        run = without_option(run, "--http2-prior-knowledge")
    if name == "--resolve":  # there is one for each name
        host, port, _ = value.split(":", 2)
        run, spelling = re.sub(rf"\s--resolve\s+{re.escape(host)}:{re.escape(port)}:{VALUE}", "", run), None
    if spelling and value:
        return re.sub(rf"(\s{re.escape(spelling)}\s+){VALUE}", rf"\g<1>{value}", run)
    return run.replace("muster fetch", f"muster fetch {name} {value}".rstrip(), 1)


def applied(run, option):
    """The command line with a finding's option."""
    words = shlex.split(option)
    while words:
        word = words.pop(0)
        if word == "without":
            run = without_option(run, words.pop(0))
            continue
        value = words.pop(0) if words and not words[0].startswith("--") and words[0] != "without" else ""
        run = with_option(run, word, value)
    return run
