"""A piece of ClickHouse SQL with its parameters; pieces compose without their parameters' names colliding."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_PARAMETER = re.compile(r"\{([A-Za-z_]\w*):")
_PIECE = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL text with server-side parameters `{name:Type}` and their values, which never appear in the text.

    >>> where = Sql("host = {q0:String}", {"q0": "web-7"})
    >>> Sql.of("SELECT count() FROM logs WHERE {where} AND status = {status:String}", where=where, status="error")
    Sql(text='SELECT count() FROM logs WHERE host = {where_q0:String} AND status = {status:String}', parameters=...)
    """

    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, template: str, **values: Any) -> "Sql":
        """Fill a template: `{name}` is replaced by the `Sql` of that name, `{name:Type}` stays a parameter."""
        parameters = {name: value for name, value in values.items() if not isinstance(value, Sql)}

        def piece(found: re.Match[str]) -> str:
            part = values[found[1]]
            if not isinstance(part, Sql):
                raise TypeError(f"'{found[1]}' is used as SQL but is not: write {{{found[1]}:Type}} for a parameter")
            renamed = part.prefixed(f"{found[1]}_")
            parameters.update(renamed.parameters)
            return renamed.text

        return cls(_PIECE.sub(piece, template), parameters)

    def prefixed(self, prefix: str) -> "Sql":
        """The same with `prefix` before every parameter's name."""
        if not self.parameters:
            return self
        text = _PARAMETER.sub(
            lambda found: f"{{{prefix}{found[1]}:" if found[1] in self.parameters else found[0], self.text
        )
        return Sql(text, {prefix + name: value for name, value in self.parameters.items()})

    @classmethod
    def join(cls, separator: str, parts: Iterable["Sql"], prefix: str = "p") -> "Sql":
        """Several pieces one after another, their parameters told apart by `prefix` and their number."""
        texts: list[str] = []
        parameters: dict[str, Any] = {}
        for number, part in enumerate(parts):
            renamed = part.prefixed(f"{prefix}{number}_")
            texts.append(renamed.text)
            parameters.update(renamed.parameters)
        return cls(separator.join(texts), parameters)
