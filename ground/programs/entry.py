"""What an entry of the table says: a program, where it is run, what is to be found, and what becomes of the program when it is put right."""
import re
from dataclasses import dataclass, field
from pathlib import Path

from ground.row import HEALTHY

FOLDER = Path(__file__).parent
# What a finding of a program may blame it for; names of src/explain/causes/causes_program*.c.
BLAMES = ("awaited-one-by-one", "client-each-request", "pool-limit", "gather-barrier", "semaphore-small", "loop-held", "timeout-by-loop", "names-again",
          "no-keep-alive", "contexts-again", "unread-bodies", "gather-unbounded", "gil", "nagle-own", "proxy-unknown", "processor-bound", "own-pauses")


@dataclass(frozen=True)
class Entry:
    name: str
    cause: str  # what is to be found first, or HEALTHY
    program: str  # its path below this folder
    n: int  # how many requests it is told to make
    bed: object  # see bed.py
    line: str = ""  # a regular expression that one line of the program matches, or a few that are as good: what has to change
    likewise: tuple = ()  # names that are right as well
    looks_like: tuple = ()  # what must not be named first; with an innocent program all that blames it
    put_right: tuple = ()  # (old, new) of its text: the remedied twin; {proposed} is the number that the finding proposes
    environment: dict = field(default_factory=dict)  # {ca} and names of servers as in the bed
    needs: tuple = ()  # of the libraries, "undici"

    @property
    def path(self):
        return FOLDER / self.program

    @property
    def language(self):
        return self.program.partition("/")[0]

    @property
    def blamed(self):
        """What must not be named first."""
        if self.looks_like or self.cause in BLAMES:
            return self.looks_like
        return tuple(name for name in BLAMES if name not in self.likewise)

    def lines(self):
        """Numbers of the lines at fault; empty where none is."""
        if not self.line:
            return set()
        return {number for number, text in enumerate(self.path.read_text().splitlines(), 1) if re.search(self.line, text)}

    def remedied(self, proposed=50):
        """The text of the twin."""
        text = self.path.read_text()
        for old, new in self.put_right:
            assert text.count(old) == 1, f"{self.name}: {old!r} is there {text.count(old)} times"
            text = text.replace(old, new.replace("{proposed}", str(proposed)))
        return text


__all__ = ["BLAMES", "Entry", "HEALTHY"]
