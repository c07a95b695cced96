"""Why a Sigma rule cannot be taken."""

from tocsin.errors import BadRequest


class NotImportable(BadRequest):
    """The reason in one sentence; nothing of such a rule is stored, since half a rule finds something else."""

    code = "NotImportable"
