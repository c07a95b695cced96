"""What is wrong with a pipeline: where in it, and what to do."""

from collections.abc import Sequence

from tocsin.errors import BadRequest


class BadPipeline(BadRequest):
    """A pipeline that cannot be compiled. `where` names the place: `processors[2].grok.match_rules`.

    `others` are further mistakes, where more than the first one was found.
    """

    def __init__(self, where: str, problem: str, code: str = "invalid", others: "Sequence[BadPipeline]" = ()) -> None:
        super().__init__(f"{where or 'the pipeline'}: {problem}", *(str(other) for other in others))
        self.where = where
        self.problem = problem
        self.code = code
        self.others = tuple(others)

    @classmethod
    def of(cls, problems: "Sequence[BadPipeline]") -> "BadPipeline":
        """Several mistakes as one error."""
        first, *others = problems
        return cls(first.where, first.problem, first.code, others)
