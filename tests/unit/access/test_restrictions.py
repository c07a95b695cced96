"""Restriction policies without a store: what is taken, and who may change what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.access.restrictions import (
    EDITOR,
    MAX_PRINCIPALS,
    VIEWER,
    Binding,
    Policy,
    read_policy,
    resource_of,
)
from tocsin.errors import BadRequest

HERE, ELSEWHERE = "00000000-0000-4000-8000-0000000000aa", "00000000-0000-4000-8000-0000000000bb"
ANA, BEN = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
OWNERS, GUESTS = "33333333-0000-4000-8000-000000000003", "44444444-0000-4000-8000-000000000004"
EVERYBODY = (VIEWER, [f"org:{HERE}"])


def editors(*principals: str) -> Policy:
    return read_policy([(EDITOR, principals)], HERE)


def test_what_an_id_names() -> None:
    resource = resource_of("security-rule:abc-d1e-2fg")
    assert (resource.kind.noun, resource.id, str(resource)) == ("rule", "abc-d1e-2fg", "security-rule:abc-d1e-2fg")
    assert resource_of("security-suppression:a:b").id == "a:b"


@pytest.mark.parametrize("text", ["", "abc-d1e-2fg", "security-rule:", ":abc-d1e-2fg", ":"])
def test_malformed_ids(text: str) -> None:
    with pytest.raises(BadRequest, match="write type:id, as in security-rule:abc-d1e-2fg"):
        resource_of(text)


@pytest.mark.parametrize("kind", ["dashboard", "Security-Rule", "security_rule"])
def test_other_types_are_refused_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(BadRequest, match="the types are security-rule, security-suppression"):
        resource_of(f"{kind}:abc")


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        ([("runner", [f"user:{ANA}"])], r"bindings\[0\].relation: .* the relations are viewer, editor"),
        ([(EDITOR, [f"user:{ANA}"]), (EDITOR, [f"user:{BEN}"])], r"bindings\[1\].relation: editor is given twice"),
        ([(EDITOR, [f"team:{ANA}"])], r"bindings\[0\].principals\[0\]: there are no teams here; name roles"),
        ([(EDITOR, [f"user:{ANA}", "ana@example.com"])], r"principals\[1\]: .* is no principal; write role:…"),
        ([(EDITOR, ["user:ana"])], "'ana' is no id of a user"),
        ([(EDITOR, ["role:"])], "'' is no id of a role"),
        ([(EDITOR, [f"org:{ELSEWHERE}"])], "is another organisation; this one is org:"),
        ([EVERYBODY], "names at least one editor; to lift the restriction, delete the policy"),
        ([EVERYBODY, (EDITOR, [])], "names at least one editor"),
        ([(VIEWER, [f"role:{OWNERS}"]), (EDITOR, [f"user:{ANA}"])], "viewer can only be org:"),
        ([(VIEWER, []), (EDITOR, [f"user:{ANA}"])], "viewer can only be org:"),
        ([(EDITOR, [f"user:{ANA}"] * (MAX_PRINCIPALS + 1))], "201 given, at most 200"),
    ],
)
def test_nothing_is_taken_that_has_no_effect(bindings: list[tuple[str, list[str]]], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        read_policy(bindings, HERE)


def test_what_is_taken_comes_back() -> None:
    policy = read_policy([(EDITOR, [f"role:{OWNERS}", f"user:{ANA.upper()}", f"role:{OWNERS}"]), EVERYBODY], HERE)
    assert policy.written() == [
        {"relation": "editor", "principals": [f"role:{OWNERS}", f"user:{ANA}"]},
        {"relation": "viewer", "principals": [f"org:{HERE}"]},
    ]
    assert policy.narrows and read_policy([], HERE) == Policy()


def test_who_may_edit() -> None:
    mine, ours = editors(f"user:{ANA}"), editors(f"role:{OWNERS}")
    assert mine.lets_edit(ANA, []) and not mine.lets_edit(BEN, [OWNERS])
    assert ours.lets_edit(BEN, [GUESTS, OWNERS]) and not ours.lets_edit(ANA, [GUESTS])
    assert not editors(f"role:{ANA}").lets_edit(ANA, []), "a role's id is no person's"
    assert not mine.lets_edit("", [""])


def test_everybody_as_editor_narrows_nothing() -> None:
    policy = editors(f"role:{OWNERS}", f"org:{HERE}")
    assert not policy.narrows and policy.lets_edit(BEN, [])


def test_a_policy_without_its_last_editor_lets_nobody_in() -> None:
    policy = editors(f"role:{OWNERS}").without(f"role:{OWNERS}")
    assert policy.bindings and policy.narrows
    assert not policy.lets_edit(ANA, [OWNERS])
    assert policy.with_editor(f"user:{ANA}").lets_edit(ANA, [])


def test_one_editor_more_leaves_the_others() -> None:
    policy = read_policy([(EDITOR, [f"role:{OWNERS}"]), EVERYBODY], HERE).with_editor(f"user:{ANA}")
    assert policy.editors == (f"role:{OWNERS}", f"user:{ANA}")
    assert policy.with_editor(f"user:{ANA}").editors == policy.editors
    assert Binding(VIEWER, (f"org:{HERE}",)) in policy.bindings


def test_a_version_tells_policies_apart() -> None:
    policies = [Policy(), editors(f"user:{ANA}"), editors(f"user:{BEN}"), editors(f"user:{ANA}", f"user:{BEN}")]
    assert len({policy.version for policy in policies}) == len(policies)
    assert editors(f"user:{ANA}").version == editors(f"user:{ANA}").version


people = st.sampled_from([ANA, BEN])
some_roles = st.sets(st.sampled_from([OWNERS, GUESTS]))
principals = st.lists(
    st.sampled_from([f"user:{ANA}", f"user:{BEN}", f"role:{OWNERS}", f"role:{GUESTS}", f"org:{HERE}"]), min_size=1
)


@given(people, some_roles, principals)
def test_the_decision_is_the_sentence(person: str, roles: set[str], named: list[str]) -> None:
    """Everybody, or by name, or by a role: nothing else lets in, and nothing of these does not."""
    wanted = f"org:{HERE}" in named or f"user:{person}" in named or any(f"role:{role}" in named for role in roles)
    assert editors(*named).lets_edit(person, roles) == wanted
