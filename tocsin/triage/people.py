"""Who can be assigned a signal."""

from tocsin.access.users import Users
from tocsin.signal import Person
from tocsin.triage.service import FindPerson


def assignable(users: Users) -> FindPerson:
    """Looks up who may be assigned: everyone who has not been disabled."""

    def find(uuid: str) -> Person | None:
        user = users.find(uuid)
        if user is None or user.is_disabled:
            return None
        return Person(uuid=user.uuid, handle=user.email, name=user.shown_name, id=user.number)

    return find
