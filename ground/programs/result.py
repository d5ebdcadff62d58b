"""What a program of the ground came to, and whether that is right."""
import re
from dataclasses import dataclass, field

from ground.programs.entry import BLAMES
from ground.row import HEALTHY, Row, percent, seconds

UNSEEN = "unseen"  # as a cause: nothing is seen of the program, and the page says so
WIDTHS = [34, 20, 20, 6, 14, 8, 10, 18, 9, 4, 11, 11, 6, 0]
HEADINGS = ["program", "expected", "found first", "grade", "line", "wall", "predicted", "range", "measured", "", "gain pred.", "gain meas.", "error", ""]


@dataclass
class Result(Row):
    """A row whose finding has a line, and whose program must end as it does unwatched."""

    lines: frozenset = frozenset()  # that are right
    file: str = None  # of the first finding
    line_found: int = None
    program_name: str = ""
    difference: str = None  # from the unwatched run
    unwatched: float = None  # seconds
    cpu: tuple = ()  # (watched, unwatched) seconds of processor time
    others: list = field(default_factory=list)  # what was found behind the first
    proposed: int = None  # the number that the first finding's remedy names

    def take(self, explanation):
        super().take(explanation)
        self.others = [finding["cause"] for finding in explanation["findings"][1:]]
        if explanation["findings"]:
            first = explanation["findings"][0]
            self.file, self.line_found = first.get("file"), first.get("line")
            self.proposed = number_in(first.get("remedy") or "")

    def take_unseen(self, explanation):
        """Of a program of which nothing was seen; it must be said why."""
        self.verdict, self.before = explanation["verdict"], explanation["program"]["wall_ns"] / 1e9
        self.found = UNSEEN if explanation["program"].get("unseen") else None

    def as_kept(self):
        return {**super().as_kept(), "lines": sorted(self.lines)}

    def take_again(self, explanation):
        proposed = self.proposed
        super().take_again(explanation)
        if proposed != self.proposed:
            self.measured, self.can_be_put_right = None, False

    def check(self, explanation):
        """An account that is there adds up to the wall time, exactly."""
        for account in ("chain", "shares"):
            self.is_exact &= not explanation.get(account) or sum(explanation[account].values()) == explanation["run"]["wall_ns"]

    @property
    def asks_for_line(self):
        return bool(self.lines) and self.expected != HEALTHY

    @property
    def has_right_line(self):
        return self.is_right and self.line_found in self.lines and str(self.file).endswith(self.program_name)

    @property
    def is_blamed(self):
        """Though it is innocent."""
        return self.expected not in BLAMES and not self.is_right and self.found in BLAMES

    @property
    def misleads(self):
        return self.is_fooled or self.is_blamed

    @property
    def is_doubtful(self):
        return self.misleads or bool(self.difference)

    @property
    def line_told(self):
        if self.line_found is None:
            return "none" if self.asks_for_line else "-"
        mark = "" if not self.asks_for_line else " ok" if self.has_right_line else " WRONG"
        name = "" if str(self.file).endswith(self.program_name) else str(self.file).rpartition("/")[2]
        return f"{name}:{self.line_found}{mark}"

    def cells(self):
        judgement = self.judgement + ("" if self.is_exact else " SUMS DIFFER") + (f" OTHERWISE: {self.difference}" if self.difference else "")
        return [self.full_name, self.expected, self.found or "-", self.grade or "-", self.line_told, seconds(self.before), *self.prediction_cells(), judgement]

    def told(self):
        """Its line of the table."""
        return line_of(self.cells()) + (f"  {self.trouble}" if self.trouble else "")

    def as_json(self):
        return {**super().as_json(), "file": self.file, "line": self.line_found, "lines": sorted(self.lines), "right_line": self.has_right_line if self.asks_for_line else None,
                "difference": self.difference, "others": self.others, "cpu_s": self.cpu or None}


def number_in(text):
    """The first one of a remedy, as in "Let 1,600 through"; None: it names none."""
    found = re.search(r"\d[\d,]*", text)
    return int(found.group().replace(",", "")) if found else None


def line_of(cells):
    return "".join(f"{cell:<{width}} " for cell, width in zip(cells, WIDTHS)).rstrip()
