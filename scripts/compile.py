"""Compiles the modules that every event passes through to machine code (mypyc; decision 0194).

Without a C compiler nothing is made, this is said, and they are interpreted as all others are. `for-the-next-start`: a
server starts meanwhile.
"""

import ast
import contextlib
import io
import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tocsin.compiled import LIBRARIES, MANIFEST, ROOT, current, digest

MODULES = (
    "tocsin/query/columns.py",
    "tocsin/query/patterns.py",
    "tocsin/query/to_predicate.py",
    "tocsin/query/values.py",
    "tocsin/normalise/*.py",
    "tocsin/normalise/grok/*.py",
    "tocsin/normalise/processors/*.py",
    "tocsin/match/*.py",
    "tocsin/store/rows.py",
    "tocsin/evaluate/aggregates.py",
    "tocsin/evaluate/anomaly.py",
    "tocsin/evaluate/condition.py",
    "tocsin/evaluate/content_anomaly.py",
    "tocsin/evaluate/decision.py",
    "tocsin/evaluate/evidence.py",
    "tocsin/evaluate/group.py",
    "tocsin/evaluate/hardcoded.py",
    "tocsin/evaluate/machine.py",
    "tocsin/evaluate/memories.py",
    "tocsin/evaluate/method.py",
    "tocsin/evaluate/new_value.py",
    "tocsin/evaluate/refs.py",
    "tocsin/evaluate/sequence.py",
    "tocsin/evaluate/similarity.py",
    "tocsin/evaluate/third_party.py",
    "tocsin/evaluate/threshold.py",
    "tocsin/evaluate/travel.py",
    "tocsin/evaluate/window.py",
)
"""Those in which a worker and detection spend their time, and what these call without pause. Packages themselves stay
as they are."""

OPTIMISATION = "1"
"""Of the C compiler: more takes twice as long to compile and gains nothing that could be measured."""


def main() -> None:
    if why := _missing():
        print(f"{why}: workers run interpreted code, which takes a fifth more processor time for an event.")
        print("Debian: apt-get install gcc libc6-dev python3-dev, then make again")
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        return
    os.chdir(ROOT)
    if current() is not None:
        return
    sources = sorted(str(path) for pattern in MODULES for path in Path().glob(pattern) if path.name != "__init__.py")
    when = ", which the next start uses" if sys.argv[1:] == ["for-the-next-start"] else ""
    print(f"Compiling {len(sources)} modules (80 seconds of processor time){when}", flush=True)
    LIBRARIES.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LIBRARIES.parent) as folder:
        made = Path(folder) / "made"
        known = {name: digest(Path(name)) for name in sorted({*sources, *_imported(sources), "scripts/compile.py"})}
        _compile(sources, made, Path(folder) / "objects")
        libraries = {_module(path.relative_to(made)): str(path.relative_to(made)) for path in made.rglob("*.*")}
        manifest = {"interpreter": sys.implementation.cache_tag, "sources": known, "libraries": libraries}
        (made / MANIFEST.name).write_text(json.dumps(manifest, indent=1))
        # Never written over: a server that runs may have loaded them.
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        made.rename(LIBRARIES)


def _missing() -> str | None:
    """What of the tools of C is not there."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"There is no C compiler ({compiler})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's headers (Python.h) are not there"
    if find_spec("setuptools") is None:
        return "There is no setuptools"
    return None


def _imported(sources: Iterable[str]) -> Iterator[str]:
    """The modules of ours that these name: what the compiler knows of them, it builds upon."""
    for source in sources:
        for node in ast.walk(ast.parse(Path(source).read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tocsin."):
                place = Path(*node.module.split("."))
                yield from map(str, filter(Path.exists, (place.with_suffix(".py"), place / "__init__.py")))


def _module(library: Path) -> str:
    """`tocsin/match/segment.cpython-311-x86_64-linux-gnu.so` is `tocsin.match.segment`."""
    return ".".join([*library.parts[:-1], library.name.partition(".")[0]])


def _compile(sources: list[str], made: Path, objects: Path) -> None:
    from mypyc.build import mypycify  # imports setuptools, which not everybody who reads MODULES has
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    class SideBySide(build_ext):
        """One library of many C files, which a build takes one after the other."""

        def build_extensions(self) -> None:
            one = self.compiler.compile

            def compile_all(files: list[str], *args: Any, **options: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as threads:
                    done = threads.map(lambda file: one([file], *args, **options), files)
                    return [each for those in done for each in those]

            self.compiler.compile = compile_all
            super().build_extensions()

    said = io.StringIO()  # pages of hints: what matters is what makes it end
    try:
        with contextlib.redirect_stdout(said):
            options = ["--cache-dir", os.devnull]
            extensions = mypycify(
                [*options, *sources],
                opt_level=OPTIMISATION,
                debug_level="0",
                multi_file=True,
                target_dir=str(objects),
            )
    except SystemExit:
        sys.exit("\n".join(line for line in said.getvalue().splitlines() if ": error: " in line))
    command = SideBySide(Distribution({"name": "tocsin", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(made), str(objects)
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    main()
