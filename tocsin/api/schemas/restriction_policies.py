"""Bodies and answers about who may change a single rule or suppression (response.md §6.5)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tocsin.access.restriction_policies import PolicyView

Text = Annotated[str, Field(max_length=200)]


class RestrictionBinding(BaseModel):
    relation: Text
    principals: list[Text]


class RestrictionAttributes(BaseModel):
    """`version`, if given, must be that of the policy that was read."""

    bindings: Annotated[list[RestrictionBinding], Field(max_length=20)]
    version: Text | None = None


class RestrictionData(BaseModel):
    id: Text | None = None
    type: Literal["restriction_policy"]
    attributes: RestrictionAttributes


class RestrictionBody(BaseModel):
    data: RestrictionData


class RestrictionAnswerAttributes(BaseModel):
    bindings: list[RestrictionBinding]


class RestrictionMeta(BaseModel):
    """What is ours about a policy: `names` of its principals, whether the caller may `edit` the resource, whether the
    policy keeps anybody from it."""

    version: str
    editable: bool
    restricted: bool
    names: dict[str, str]


class RestrictionResource(BaseModel):
    id: str
    type: Literal["restriction_policy"] = "restriction_policy"
    attributes: RestrictionAnswerAttributes
    meta: RestrictionMeta

    @classmethod
    def of(cls, seen: PolicyView) -> "RestrictionResource":
        bindings = [
            RestrictionBinding(relation=each.relation, principals=list(each.principals))
            for each in seen.policy.bindings
        ]
        return cls(
            id=str(seen.resource),
            attributes=RestrictionAnswerAttributes(bindings=bindings),
            meta=RestrictionMeta(
                version=seen.policy.version,
                editable=seen.is_editable,
                restricted=seen.policy.narrows,
                names=dict(seen.names),
            ),
        )


class RestrictionAnswer(BaseModel):
    data: RestrictionResource


class RestrictionList(BaseModel):
    data: list[RestrictionResource]
