"""
What the documents show is true: their C compiles, the prototypes of the man pages are those of the headers, the options exist.

A ```c block of README.md or docs/guide.md, or an example of a man page, that has a main() is a program. Else, if it begins with
"static" and has a function's "{" in the first column, it stands outside of functions, before all that follow; and any other is the
inside of a function, which finds the names of PRELUDE.
"""
import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import MUSTER, PATIENCE
from curl import curl_version

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "man").glob("*.3"))
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "guide.md"]
CC = [shutil.which("cc") or "gcc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", ROOT / "include", "-x", "c", "-"]

PRELUDE = """\
#include <muster/muster.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern struct muster_client *client;
extern struct muster_result *result;
extern const char *url, *const *urls;
extern size_t n_urls;
extern volatile bool should_stop;
void use(const void *body, size_t size);

struct document;
struct document *document_parse(const void *text, size_t size);
void document_free(void *document);
int document_n_items(const struct document *document);
"""


def compile_c(source, cwd=None):
    done = subprocess.run([*map(str, CC)], input=source, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr + source


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def unit(snippets):
    """One source of all snippets that are no programs."""
    source = [PRELUDE]
    for n, snippet in enumerate(snippets):
        includes = re.findall(r"^#include.*$", snippet, flags=re.MULTILINE)
        rest = re.sub(r"^#include.*$", "", snippet, flags=re.MULTILINE)
        if snippet.startswith("static") and re.search(r"^\{$", snippet, flags=re.MULTILINE):
            source += [*includes, rest]
        else:
            source += [*includes, f"void snippet_{n}(void);", f"void snippet_{n}(void)", "{", rest, "}"]
    return "\n".join(source) + "\n"


def check_snippets(snippets):
    assert snippets
    for program in (snippet for snippet in snippets if "int main(" in snippet):
        compile_c(program)
    compile_c(unit([snippet for snippet in snippets if "int main(" not in snippet]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_c_compiles(document):
    check_snippets(blocks(document.read_text(), "c"))


def test_python_is_python():
    for block in blocks((ROOT / "docs" / "guide.md").read_text(), "python"):
        compile(block, "guide.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_exist(document):
    """Long and short options of every command that a document shows, in a block or as code in the text."""
    text = document.read_text()
    for command in ("fetch", "watch", "explain", "compare", "sweep", "lab"):
        helped = subprocess.run([MUSTER, command, "--help"], capture_output=True, text=True).stdout
        known = {"--help"} | set(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w.-]*", helped))
        shown = re.findall(rf"muster {command}\b(.*)", text)
        assert shown or command in ("compare", "sweep", "watch")
        for line in shown:
            line = re.split(r" -- |\||`|#", line)[0]
            line = re.sub(r"'[^']*'", "''", line)
            for option in re.findall(r"(?<=\s)--?[A-Za-z][\w.-]*", line):
                assert option in known, (command, option)


def commands():
    helped = subprocess.run([MUSTER, "--help"], capture_output=True, text=True).stdout
    return re.findall(r"^  (\w+) ", helped, flags=re.MULTILINE)


def completed(command, begun):
    """What bash offers for the begin of a word."""
    script = '. "$1"; COMP_WORDS=(muster "$2" "$3") COMP_CWORD=2; _muster; printf "%s\\n" "${COMPREPLY[@]}"'
    words = ["bash", "-c", script, "bash", ROOT / "docs" / "completion" / "muster.bash", command, begun]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def test_every_option_is_in_its_page_and_completed():
    assert {"fetch", "explain", "lab"} <= set(commands())
    for command in commands():
        helped = subprocess.run([MUSTER, command, "--help"], capture_output=True, text=True).stdout
        page = (ROOT / "docs" / "man" / f"muster-{command}.1").read_text()
        options = re.findall(r"^ {2,6}(?:-., )?--([\w.-]+)", helped, flags=re.MULTILINE)
        assert options
        # "--", behind which a command may stand, is no option.
        assert set(completed(command, "--")) - {"--"} == {f"--{option}" for option in [*options, "help"]}
        for option in options:
            escaped = re.escape(option).replace(r"\-", r"(?:\\)?-")
            assert len(re.findall(rf"^\.It (?:Fl . , )?Fl -{escaped}(?!\S)", page, flags=re.MULTILINE)) == 1, (command, option)


# --- docs/from-curl.md -----------------------------------------------------------------------------------------------------

MEANINGS = ("the same", "different", "another name", "not needed", "not there")


def options_of(helped):
    """Every name, a letter or a long one, to all names of its option."""
    found = {}
    for letter, name in re.findall(r"^ +(?:-(\S), )?--([\w.-]+)", helped, flags=re.MULTILINE):
        names = {f"--{name}"} | ({f"-{letter}"} if letter else set())
        found.update({each: names for each in names})
    return found


def rows_from_curl():
    """(options of curl, what becomes of them, options of muster that are told of) of each row of the tables."""
    for line in (ROOT / "docs" / "from-curl.md").read_text().splitlines():
        if line.startswith("| `-"):
            options, meaning, words = (cell.strip() for cell in line.strip("|").split(" | "))
            yield re.findall(r"`(--?[^`]+)`", options), meaning, re.findall(r"`(--?[\w.-]+)`", words)


CURL_OF_TABLE = (7, 88)  # younger ones have other options, and other names for some


def curl_options():
    curl = shutil.which("curl")
    told = subprocess.run([curl, "-q", "--help", "all"], capture_output=True, text=True).stdout if curl else ""
    options = options_of(told)
    if "--url-query" not in options:
        pytest.skip("there is no curl here, or one older than 7.87")
    return options


def fetch_options():
    return options_of(subprocess.run([MUSTER, "fetch", "--help"], capture_output=True, text=True).stdout)


def test_table_of_curl_is_true():
    theirs, ours = curl_options(), fetch_options()
    rows = list(rows_from_curl())
    assert len(rows) > 60
    for options, meaning, told in rows:
        assert meaning in MEANINGS, meaning
        for option in options:
            assert option in theirs or curl_version() > CURL_OF_TABLE, f"curl has no {option}"
            if meaning in ("the same", "different"):
                assert option in ours, f"muster has no {option}: {meaning}"
            else:
                assert option not in ours, f"muster has {option}: {meaning}"
            if meaning == "the same" and option in theirs:
                both = theirs[option] & ours[option]
                assert both <= set(options) and any(name.startswith("--") for name in both), f"{option} is not all that it is called"
        assert set(told) <= set(ours), (options, set(told) - set(ours))
        assert told or meaning != "another name", options


def test_table_of_curl_has_all_that_both_have():
    theirs, ours = curl_options(), fetch_options()
    listed = [option for options, _, _ in rows_from_curl() for option in options]
    assert len(listed) == len(set(listed)), "told twice"
    if curl_version() <= CURL_OF_TABLE:
        assert set(theirs) & set(ours) - set(listed) == set()


def test_what_is_not_there_is_refused_with_what_to_do(muster):
    """The page promises it. A name that only is unknown leaves people to search."""
    for options, meaning, told in rows_from_curl():
        for option in options if meaning not in ("the same", "different") else []:
            run = muster("fetch", option, "http://127.0.0.1:1/")
            assert run.status == 2 and "unknown option" in run.stderr and "lists all options" not in run.stderr, (option, run.stderr)
            meant = re.search(r"did you mean (--[\w-]+)\?", run.stderr)
            assert not meant or meant[1] in told, (option, run.stderr)


def test_every_option_of_curl_for_http_is_in_the_table():
    """What is left out is of other protocols, of systems that muster does not run on, or of TLS for proxies."""
    elsewhere = re.compile(r"--(ftp|mail|sasl|tftp|telnet|proxy-|socks5-|ssl|krb|tls(user|pass|auth)|doh-|hostpub|egd|random-file|engine|metalink)")
    others = {"--compressed-ssh", "--crlf", "--delegation", "--disable-eprt", "--disable-epsv", "--list-only", "--login-options", "--no-npn",
              "--pubkey", "--quote", "--service-name", "--suppress-connect-headers", "--use-ascii", "--help"}
    listed = {option for options, _, _ in rows_from_curl() for option in options}
    if curl_version() > CURL_OF_TABLE:
        pytest.skip("this curl has options that are younger than the table")
    missing = {name for name in curl_options() if name.startswith("--") and not elsewhere.match(name)} - others - listed
    assert missing == set()


def anchors(document):
    """Of the headings, as they are linked to."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    for document in [*DOCUMENTS, ROOT / "docs" / "from-curl.md", ROOT / "docs" / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            file = document.parent / path if path else document
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


# --- man pages ----------------------------------------------------------------------------------------------------------


def mdoc_text(lines):
    return "\n".join(re.sub(r"\\e", r"\\", re.sub(r"\\&", "", line)) for line in lines) + "\n"


def literals(page):
    """The .Bd -literal blocks of the examples; what is no C is .Bd -unfilled there."""
    _, _, examples = page.partition("\n.Sh EXAMPLES\n")
    examples = re.split(r"^\.Sh ", examples, flags=re.MULTILINE)[0]
    found = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", examples, flags=re.DOTALL | re.MULTILINE)
    return [mdoc_text(block.splitlines()) for block in found]


def prototypes(page):
    """(type, name, arguments) of each .Ft and .Fn of the synopsis."""
    _, _, synopsis = page.partition("\n.Sh SYNOPSIS\n")
    synopsis = re.split(r"^\.Sh ", synopsis, flags=re.MULTILINE)[0]
    for kind, name, arguments in re.findall(r"^\.Ft (.*)\n\.Fn (\S+)((?: \".*\")?)$", synopsis, flags=re.MULTILINE):
        yield kind, name, ", ".join(re.findall(r'"([^"]*)"', arguments))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_compile(page):
    check_snippets(literals(page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_prototypes_are_those_of_the_headers(page):
    """Declared once more beside the headers: where they differ, the compiler says so."""
    found = list(prototypes(page.read_text()))
    assert found
    for _, name, arguments in found:
        header = re.sub(r"\s+", " ", "".join(path.read_text() for path in sorted((ROOT / "include" / "muster").glob("*.h"))))
        header = header.replace("( ", "(")
        assert f"{name}({arguments})" in header, name  # the names of the arguments, too
    compile_c("#include <muster/muster.h>\n" + "".join(f"{kind} {name}({arguments});\n" for kind, name, arguments in found))


def test_every_option_and_counter_is_described():
    """Each member of the public structs has its name in a page of section 3."""
    pages = "".join(path.read_text() for path in PAGES)
    for path in sorted((ROOT / "include" / "muster").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for struct, members in re.findall(r"^struct (\w+) \{\n(.*?)^\};", text, flags=re.DOTALL | re.MULTILINE):
            for member in re.findall(r"(\w+)(?:\[\w+\])?;", members):
                if struct != "muster_str":
                    assert re.search(rf"\b{member}\b", pages), (struct, member)


def test_every_code_is_in_the_table():
    page = (ROOT / "docs" / "man" / "muster_error.3").read_text()
    header = (ROOT / "include" / "muster" / "error.h").read_text()
    codes = re.findall(r"^\s+(MUSTER_(?:OK|E_\w+)) = (-?\d+),", header, flags=re.MULTILINE)
    assert len(codes) == 22
    for name, value in codes:
        assert re.search(rf"^\.It Dv {name} No \({value}, {'ok' if value == '0' else name[9:].lower()}\)", page, flags=re.MULTILINE), name


# --- what is installed --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The pages and the completion, where "meson install" puts them, below a folder."""
    told = subprocess.run(["meson", "introspect", "--installed", Path(MUSTER).resolve().parent], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    root = tmp_path_factory.mktemp("installed")
    for source, target in json.loads(told.stdout).items():
        if "/share/man/" in target or "bash-completion" in target:
            path = root / re.sub(r".*?/share/", "share/", target)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
    return root / "share"


def functions():
    headers = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in sorted((ROOT / "include" / "muster").glob("*.h")))
    return sorted(set(re.findall(r"\b(muster_\w+)\(", headers)))


def test_every_page_is_installed(installed):
    for page in (ROOT / "docs" / "man").glob("*.[1-9]"):
        assert (installed / "man" / f"man{page.suffix[1:]}" / page.name).read_text() == page.read_text()


def test_every_function_has_a_page_by_its_name(installed):
    """Its own, or an alias of one that has it among its names and prototypes."""
    assert len(functions()) > 50
    for name in functions():
        text = (installed / "man" / "man3" / f"{name}.3").read_text()
        if text.startswith(".so "):
            text = (installed / "man" / text.split()[1]).read_text()
        assert re.search(rf"^\.Nm {name}(?: ,)?$", text, flags=re.MULTILINE) and re.search(rf"^\.Fn {name} ", text, flags=re.MULTILINE), name


@pytest.mark.skipif(not shutil.which("man"), reason="no man(1): apt-get install man-db")
def test_man_finds_them(installed):
    for name, page in [("muster_next", "man3/muster_client.3"), ("muster_result_body", "man3/muster_result.3"), ("muster-fetch", "man1/muster-fetch.1"),
                       ("muster-record", "man5/muster-record.5")]:
        told = subprocess.run(["man", "-M", installed / "man", "-w", name], capture_output=True, text=True)
        assert told.stdout.strip() == str(installed / "man" / page), told.stderr


@pytest.mark.skipif(not Path("/usr/share/bash-completion/bash_completion").exists(), reason="no bash-completion(7): apt-get install bash-completion")
def test_bash_completion_finds_ours(installed):
    script = ". /usr/share/bash-completion/bash_completion; _comp_load muster 2>/dev/null || __load_completion muster; complete -p muster"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": "/", "XDG_DATA_DIRS": str(installed)})
    assert "-F _muster" in told.stdout, told.stderr


# --- JSON ---------------------------------------------------------------------------------------------------------------

OWN_NAMES = {"chain", "shares", "phases_us"}  # their members are parts and phases
VALUES = {"server", "bandwidth", "machine", "errors", "none", "ladder", "fell", "interrupted"}  # of members, not members


def members(value):
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value) | set().union(*(members(inner) for name, inner in value.items() if name not in OWN_NAMES))


def documented_members(command):
    page = (ROOT / "docs" / "man" / f"muster-{command}.1").read_text()
    section = re.search(r"^\.Sh JSON\n(.*?)^\.Sh ", page, flags=re.DOTALL | re.MULTILINE)[1]
    lines = re.findall(r"^\.(?:It )?Cm (.*)$", section, flags=re.MULTILINE)
    return set(re.findall(r"\b[a-z]\w*", " ".join(lines))) - VALUES


def test_every_member_is_described_and_every_described_member_is_there(muster, lab, tmp_path):
    url = lab("--workers", 64, "--service-time", "20ms").url("/plain")
    muster("fetch", "-c", 4, "-o", "/dev/null", "--record", "run.db", input=f"{url}\n" * 100)
    told = {
        "explain": ["--json", "--confirm", "--assert", "wall<1h", tmp_path / "run.db"],
        "compare": ["--json", "-s", "-n", 8, "--threads", 2, "-c", 2, url],
        "sweep": ["--json", "-s", "--seconds", "0.05", "--max", 32, url],
        "watch": ["--json", "-o", "-", "--replay", "--confirm", f"{MUSTER} fetch -o /dev/null {url}", "--", MUSTER, "fetch", "-o", "/dev/null", url],
    }
    for command, arguments in told.items():
        run = subprocess.run([MUSTER, command, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        there = members(json.loads(run.stdout))
        if command == "sweep":
            there |= {"lambda", "sigma", "kappa", "deviation", "peak"}  # only where a law fits
        if command == "watch":
            there -= documented_members("explain") - documented_members("watch")  # what its object begins with
            there |= {"expected", "low", "high"}  # only where something is predicted
            # only of a program that is seen from outside
            there |= {"addresses", "open_most", "closed_by_server", "exchanges", "single", "sent_bytes", "received_bytes", "retransmits", "connect_ns", "connect_most_ns",
                      "open_ns", "rtt_ns", "lookup_ns"}
            there |= {"times", "why"}  # only of one that is not seen at all
        assert there == documented_members(command), command


@pytest.mark.parametrize("command", ["fetch", "watch", "compare", "sweep", "explain", "lab"])
def test_each_heading_of_the_help_is_there_once(muster, command):
    text = muster.start(command, "--help").communicate(timeout=PATIENCE)[0].decode()
    headings = re.findall(r"^([A-Z].*):$", text, flags=re.MULTILINE)
    assert headings and len(headings) == len(set(headings))
