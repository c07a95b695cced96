"""What is wrong with a rule: each reason its own sentence, with the member it is about (siem.md §2.28)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason. `target` is a path such as `queries[0].query`; `start` and `end` are characters of its text.

    `fix` is what the whole text could be instead, where that is obvious.
    """

    target: str
    message: str
    code: str
    start: int | None = None
    end: int | None = None
    fix: str | None = None

    def as_detail(self) -> dict[str, str | int]:
        """The form in which an error body carries it."""
        optional = {"start": self.start, "end": self.end, "fix": self.fix}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"code": self.code, "message": self.message, "target": self.target, **given}


class InvalidRule(BadRequest):
    """A rule that cannot be stored; the first reason is the general one that clients look for (api.md §4)."""

    code = "InvalidArgument"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("Invalid rule configuration", *(problem.message for problem in problems))
        self.problems = tuple(problems)

    @property
    def details(self) -> list[dict[str, str | int]]:
        return [problem.as_detail() for problem in self.problems]
