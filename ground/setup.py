"""What a set-up is: servers, a command line, the cause that is to be found, and what becomes of both when it is put right."""
from dataclasses import dataclass, field, replace

STRENGTHS = ("mild", "plain", "strong")
HEALTHY = "healthy"


@dataclass(frozen=True)
class Setup:
    """{NAME} in the command is the address of that server, http://{web}/; {NAME:port} is its port alone; {feed} is feed.py."""

    name: str
    cause: str  # a stable name of src/explain/causes, or HEALTHY
    servers: dict
    command: str
    strength: str = "plain"
    also: tuple = ()  # names that are right as well, and ask for another remedy than the set-up has
    likewise: tuple = ()  # names that are right as well, and ask for the same
    busy: tuple = ()  # names that are right as well beside processor hogs
    looks_like: tuple = ()  # what must not be named first
    better_command: str = ""  # what was wrong is put right so; each is as before where it is not given
    better_servers: dict = field(default_factory=dict)

    @property
    def full_name(self):
        return f"{self.name}.{self.strength}"

    @property
    def is_remedied(self):
        return bool(self.better_command or self.better_servers)

    def missing(self):
        """Why it cannot run here, or None."""
        return next((reason for reason in (server.missing() for server in self.servers.values()) if reason), None)


def graded(mild, plain, strong, make):
    """A set-up at each strength: make(value) gives it."""
    return [replace(make(value), strength=strength) for strength, value in zip(STRENGTHS, (mild, plain, strong))]


def urls(n, url="http://{web}/item"):
    """A shell command that lists n URLs, each another one."""
    return f"seq -f '{url}?%g' {n}"


def fetch(options, listing):
    return f"{listing} | muster fetch --summary --force -o results.jsonl {options}"
