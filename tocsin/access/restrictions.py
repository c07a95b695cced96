"""Who may change a single thing: what a restriction policy says, and what follows from it, without a store.

A policy narrows what permissions allow (response.md §6.5): who changes a rule needs the permission and a place among
the policy's editors. Everybody who may read rules sees every rule, so `viewer` names the organisation or is left out
(decision 0195). No policy means unrestricted.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from tocsin.access.names import check_uuid
from tocsin.errors import BadRequest, Conflict, Forbidden, NotFound

VIEWER, EDITOR = "viewer", "editor"
ROLE, USER, ORGANISATION, TEAM = "role", "user", "org", "team"

MAX_PRINCIPALS = 200
"""In one binding."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that can be restricted: its name in the API, its word, and the permissions that it narrows."""

    name: str
    noun: str
    read: str
    write: str


RULE = Kind("security-rule", "rule", "security_monitoring_rules_read", "security_monitoring_rules_write")
SUPPRESSION = Kind(
    "security-suppression",
    "suppression",
    "security_monitoring_suppressions_read",
    "security_monitoring_suppressions_write",
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (RULE, SUPPRESSION)}
"""By their names in the API."""


class Restricted(Forbidden):
    """The caller holds the permission, but a policy gives the thing to others."""


class StalePolicy(Conflict):
    """Somebody changed the policy after the caller had read it."""

    code = "stale_version"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing, which there need not be."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind.name}:{self.id}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A relation and who has it: principals such as `role:11111111-…`, in the order in which they were given."""

    relation: str
    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may do what with a thing. No bindings at all: no policy."""

    bindings: tuple[Binding, ...] = ()

    @property
    def editors(self) -> tuple[str, ...]:
        return tuple(one for each in self.bindings if each.relation == EDITOR for one in each.principals)

    @property
    def narrows(self) -> bool:
        """Whether anybody who holds the permission may be kept from changing the thing."""
        return bool(self.bindings) and not any(_type_of(one) == ORGANISATION for one in self.editors)

    @property
    def version(self) -> str:
        """What two people compare who change a policy at the same time: it follows from the bindings alone."""
        return hashlib.sha256(orjson.dumps(self.written())).hexdigest()[:16]

    def lets_edit(self, user_uuid: str, role_uuids: Collection[str]) -> bool:
        """Whether a person with these roles is among the editors; with no policy everybody is."""
        own = {f"{USER}:{user_uuid}", *(f"{ROLE}:{uuid}" for uuid in role_uuids)}
        return not self.narrows or not own.isdisjoint(self.editors)

    def without(self, principal: str) -> "Policy":
        """The same without one that is there no more. A relation that is left with nobody stays: it is closed."""
        kept = (
            Binding(each.relation, tuple(one for one in each.principals if one != principal)) for each in self.bindings
        )
        return Policy(tuple(kept))

    def with_editor(self, principal: str) -> "Policy":
        """The same with one editor more."""
        others = tuple(each for each in self.bindings if each.relation != EDITOR)
        return Policy((*others, Binding(EDITOR, tuple(dict.fromkeys((*self.editors, principal))))))

    def written(self) -> list[dict[str, object]]:
        """The bindings as the API has them."""
        return [{"relation": each.relation, "principals": list(each.principals)} for each in self.bindings]


def resource_of(text: str) -> Resource:
    """What an id such as `security-rule:abc-d1e-2fg` names. Raises `BadRequest`."""
    kind, colon, id = text.partition(":")
    if not (colon and kind and id):
        raise BadRequest(f"'{text[:80]}' is no id of a resource; write type:id, as in {RULE.name}:abc-d1e-2fg")
    return Resource(kind_of(kind), id)


def kind_of(name: str) -> Kind:
    """Raises `BadRequest` for a type of which nothing can be restricted."""
    if name not in KINDS:
        raise BadRequest(f"a resource of type '{name[:40]}' cannot be restricted; the types are {', '.join(KINDS)}")
    return KINDS[name]


def read_policy(bindings: Iterable[tuple[str, Sequence[str]]], organisation: str) -> Policy:
    """The policy that pairs of relation and principals describe; whether each principal exists is not known here.

    Raises `BadRequest`: nothing is taken that would have no effect.
    """
    made: dict[str, Binding] = {}
    for i, (relation, principals) in enumerate(bindings):
        place = f"bindings[{i}]"
        if relation not in (VIEWER, EDITOR):
            raise BadRequest(f"{place}.relation: there is no '{relation[:40]}'; the relations are {VIEWER}, {EDITOR}")
        if relation in made:
            raise BadRequest(f"{place}.relation: {relation} is given twice; put all its principals into one binding")
        if len(principals) > MAX_PRINCIPALS:
            raise BadRequest(f"{place}.principals: {len(principals)} given, at most {MAX_PRINCIPALS} are allowed")
        read = [_principal(text, organisation, f"{place}.principals[{j}]") for j, text in enumerate(principals)]
        made[relation] = Binding(relation, tuple(dict.fromkeys(read)))
    everybody = f"{ORGANISATION}:{organisation}"
    if VIEWER in made and everybody not in made[VIEWER].principals:
        raise BadRequest(
            f"{VIEWER}: who holds the permission to read sees all of them, so {VIEWER} can only be {everybody}; "
            f"leave it out, or name who may change the resource as {EDITOR}"
        )
    policy = Policy(tuple(made.values()))
    if policy.bindings and not policy.editors:
        raise BadRequest(f"a policy names at least one {EDITOR}; to lift the restriction, delete the policy")
    return policy


def principals_of(policy: Policy, kind: str) -> set[str]:
    """The UUIDs of all roles, or of all people, that a policy names."""
    return {one.partition(":")[2] for each in policy.bindings for one in each.principals if one.startswith(f"{kind}:")}


def _principal(text: str, organisation: str, place: str) -> str:
    kind, _, id = text.partition(":")
    if kind == TEAM:
        raise BadRequest(f"{place}: there are no teams here; name roles ({ROLE}:…) or people ({USER}:…)")
    if kind not in (ROLE, USER, ORGANISATION):
        raise BadRequest(f"{place}: '{text[:80]}' is no principal; write {ROLE}:…, {USER}:… or {ORGANISATION}:…")
    try:
        principal = f"{kind}:{check_uuid(id, '')}"
    except NotFound:
        raise BadRequest(f"{place}: '{id[:64]}' is no id of a {_WORDS[kind]}") from None
    if kind == ORGANISATION and principal != f"{ORGANISATION}:{organisation}":
        raise BadRequest(f"{place}: {principal} is another organisation; this one is {ORGANISATION}:{organisation}")
    return principal


def _type_of(principal: str) -> str:
    return principal.partition(":")[0]


_WORDS = {ROLE: "role", USER: "user", ORGANISATION: "organisation"}
