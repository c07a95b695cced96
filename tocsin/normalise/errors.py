"""What is wrong with a pipeline: where in it, and what to do."""

from tocsin.errors import BadRequest


class BadPipeline(BadRequest):
    """A pipeline that cannot be compiled. `where` names the place: `processors[2].grok.match_rules`."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem
