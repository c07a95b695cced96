"""A set of Sigma rules as rules of ours, and a reason for each that cannot be taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaRuleBase

from tocsin.errors import BadRequest
from tocsin.query.errors import QueryError
from tocsin.rules.documents import read_documents
from tocsin.rules.sigma.convert import DRL, Converted, Origin, convert
from tocsin.rules.sigma.correlations import convert_correlation, referenced
from tocsin.rules.sigma.errors import NotImportable
from tocsin.rules.sigma.files import SourceFile, is_licence, is_rule_file

_SIGNS = ("detection", "correlation", "logsource", "action", "filter")


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule that cannot be taken; `sigma_id` and `title` as far as they are known."""

    path: str
    sigma_id: str
    title: str
    reason: str

    @property
    def is_read(self) -> bool:
        """Whether it is a rule at all, though not one that can be taken."""
        return bool(self.sigma_id or self.title)


@dataclass(slots=True)
class Imported:
    """`rules` in the order of their files. Every rule that was read is in exactly one of the lists."""

    rules: list[Converted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    only_correlated: list[str] = field(default_factory=list)
    """Paths of rules that a correlation is made of and that raise nothing on their own (`generate`)."""


def is_sigma(document: Any) -> bool:
    """Whether a YAML document is meant to be Sigma; rules of ours have `queries`."""
    return isinstance(document, dict) and "queries" not in document and any(sign in document for sign in _SIGNS)


def import_sigma(files: Iterable[SourceFile], origin: Origin | None = None, *, with_members: bool = False) -> Imported:
    """All rules of the files. Without an `origin` it is told from a licence among the files.

    `with_members`: also those that are only there for a correlation to be made of.
    """
    files = list(files)
    origin = origin or _origin(files)
    found = Imported()
    read = [(file.path, rule) for file in files if is_rule_file(file.path) for rule in _rules(file, found)]
    by_name: dict[str, SigmaRuleBase] = {}
    for _, rule in read:
        for name in (rule.name, str(rule.id) if rule.id is not None else None):
            if name:
                by_name.setdefault(name, rule)
    silent = {
        id(by_name[name])
        for _, rule in read
        if isinstance(rule, SigmaCorrelationRule) and not rule.generate
        for name in referenced(rule)
        if name in by_name
    }
    taken: dict[str, str] = {}
    for path, rule in read:
        try:
            if rule.errors:
                raise NotImportable("; ".join(dict.fromkeys(map(str, rule.errors))))
            if isinstance(rule, SigmaCorrelationRule):
                made = convert_correlation(rule, path, origin, by_name.get)
            elif isinstance(rule, SigmaRule):
                made = convert(rule, path, origin)
            else:
                raise NotImportable("filters that change other rules are not taken; use a suppression")
            if made.body["id"] in taken:
                raise NotImportable(f"{taken[made.body['id']]} has the same id")
        except (NotImportable, QueryError, SigmaError, RecursionError) as error:
            found.refused.append(Refused(path, str(rule.id or rule.name or ""), rule.title, _reason(error)))
            continue
        if id(rule) in silent and not with_members:
            found.only_correlated.append(path)
            continue
        taken[made.body["id"]] = path
        found.rules.append(made)
    return found


def _origin(files: Iterable[SourceFile]) -> Origin:
    texts = (file.text for file in files if is_licence(file.path))
    return DRL if any("Detection Rule License" in text for text in texts) else Origin()


def _rules(file: SourceFile, found: Imported) -> Iterator[SigmaRuleBase]:
    """The rules of a file; what cannot even be read is refused here."""
    try:
        documents = [document for document in read_documents(file.text) if document is not None]
        if not documents or not all(is_sigma(document) for document in documents):
            raise BadRequest(
                "it is neither a rule of Tocsin, which has queries, nor one of Sigma, which has a logsource and a "
                "detection, or a correlation"
            )
        collection = SigmaCollection.from_dicts(
            documents, collect_errors=True, collect_filters=True, resolve_references=False
        )
    except (
        *(yaml.YAMLError, SigmaError, BadRequest, RecursionError),
        # pySigma takes the types of what it reads for granted.
        *(TypeError, ValueError, AttributeError, KeyError),
    ) as error:
        found.refused.append(Refused(file.path, "", "", _reason(error)))
        return
    if collection.filters:
        reason = "filters that change other rules are not taken; use a suppression"
        found.refused.append(Refused(file.path, "", "", reason))
    yield from collection.rules


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it has more levels within one another than can be read"
    return " ".join(str(error).split())
