"""What a run came to, and whether that is right."""
from dataclasses import asdict, dataclass

HEALTHY = "healthy"
OF_NOTE = 0.1  # of the wall time: a finding that would gain less is none of note


@dataclass
class Row:
    name: str
    expected: str
    strength: str = ""
    is_busy: bool = False
    also: tuple = ()
    looks_like: tuple = ()
    found: str = None  # the first finding
    grade: str = None
    option: str = None  # that puts it right
    verdict: str = None
    gain_promised: float = None  # by the first finding, of the wall time; None where it promises nothing
    before: float = None  # seconds, as all that follow
    predicted: float = None
    low: float = None
    high: float = None
    measured: float = None
    trouble: str = None
    is_exact: bool = True
    can_be_put_right: bool = False

    def take(self, explanation):
        """What the first run came to."""
        self.before = explanation["run"]["wall_ns"] / 1e9
        self.verdict = explanation["verdict"]
        self.check(explanation)
        if not explanation["findings"]:
            return
        first = explanation["findings"][0]
        self.found, self.grade, self.option = first["cause"], first["grade"], first.get("option")
        if first.get("wall_s"):
            self.predicted, self.low, self.high = (first["wall_s"][name] for name in ("expected", "low", "high"))
            self.gain_promised = 1 - self.predicted / self.before

    @classmethod
    def kept(cls, values):
        """As as_kept() has it."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    def as_kept(self):
        return asdict(self)

    def fail(self, trouble):
        self.trouble, self.before = trouble, None

    def take_again(self, explanation):
        """What explain says of the same run now. What was measured counts where it would be put right in the same way."""
        remedy = (self.option,) if self.option else (self.found,)
        self.found = self.grade = self.option = self.gain_promised = self.predicted = self.low = self.high = None
        self.take(explanation)
        if remedy != ((self.option,) if self.option else (self.found,)):
            self.measured, self.can_be_put_right = None, False

    def check(self, explanation):
        """Both accounts add up to the wall time, exactly."""
        self.is_exact &= sum(explanation["chain"].values()) == explanation["run"]["wall_ns"] == sum(explanation["shares"].values())

    @property
    def is_told_healthy(self):
        return not self.trouble and (self.found is None or (self.gain_promised is not None and self.gain_promised < OF_NOTE))

    @property
    def is_right(self):
        if self.trouble and self.before is None:
            return False
        if self.found == self.expected or self.found in self.also:
            return True
        return HEALTHY in (self.expected, *self.also) and self.is_told_healthy

    @property
    def is_fooled(self):
        return self.found in self.looks_like and not self.is_right

    @property
    def misleads(self):
        """Says what is not so of something that it should have known; a cause that was not found does not."""
        return self.is_fooled or (self.expected == HEALTHY and not self.is_right)

    @property
    def is_doubtful(self):
        """To be run once more where other work may have made the difference."""
        return self.misleads

    @property
    def is_measured(self):
        return self.is_right and self.predicted is not None and bool(self.measured)

    @property
    def signed_error(self):
        """Above zero: it took longer than predicted."""
        return (self.measured - self.predicted) / self.measured if self.is_measured else None

    @property
    def error(self):
        return abs(self.signed_error) if self.is_measured else None

    @property
    def is_in_range(self):
        return self.low <= self.measured <= self.high if self.is_measured else None

    def gain(self, wall):
        """What of the wall time is saved, or None."""
        return None if wall is None or not self.before else 1 - wall / self.before

    @property
    def full_name(self):
        return self.name + (f".{self.strength}" if self.strength else "") + ("+hogs" if self.is_busy else "")

    @property
    def judgement(self):
        return "ok" if self.is_right else "FOOLED" if self.is_fooled else "WRONG"

    def prediction_cells(self):
        told_range = f"{seconds(self.low)}..{seconds(self.high)}" if self.low is not None else "-"
        is_in = "-" if self.is_in_range is None else "in" if self.is_in_range else "OUT"
        return [seconds(self.predicted), told_range, seconds(self.measured), is_in, percent(self.gain(self.predicted)), percent(self.gain(self.measured)),
                percent(self.error)]

    def cells(self):
        return [self.full_name, self.expected, self.found or "-", self.grade or "-", seconds(self.before), *self.prediction_cells(),
                self.judgement + ("" if self.is_exact else " SUMS DIFFER")]

    def as_json(self):
        return {"scenario": self.name, "strength": self.strength or None, "hogs": self.is_busy, "expected": self.expected, "found": self.found, "grade": self.grade,
                "right": self.is_right, "fooled": self.is_fooled, "wall_s": self.before, "predicted_s": self.predicted, "low_s": self.low, "high_s": self.high,
                "measured_s": self.measured, "in_range": self.is_in_range, "verdict": self.verdict, "trouble": self.trouble}


def seconds(value):
    return "-" if value is None else f"{value:.2f} s" if value >= 0.1 else f"{1000 * value:.1f} ms"


def percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


HEADINGS = ["set-up", "expected", "found first", "grade", "wall", "predicted", "range", "measured", "", "gain pred.", "gain meas.", "error", ""]
WIDTHS = [28, 20, 20, 6, 8, 10, 18, 9, 4, 11, 11, 6, 0]


def line(cells):
    return "".join(f"{cell:<{width}} " for cell, width in zip(cells, WIDTHS)).rstrip()
