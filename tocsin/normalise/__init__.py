"""2. Raw record to Event: pipelines of processors, reserved and standard attributes."""

from tocsin.normalise.aliases import Aliases, read_aliases
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.normaliser import Normaliser
from tocsin.normalise.pipelines import Pipeline, compile_pipeline, read_pipelines

__all__ = [
    "Aliases",
    "BadPipeline",
    "Lookups",
    "Normaliser",
    "Pipeline",
    "compile_pipeline",
    "read_aliases",
    "read_pipelines",
]
