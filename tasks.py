"""The one task runner: `python3 tasks.py TASK`. Needs Python 3.11 or newer, and pip.

Each task prepares what it needs: inside an activated virtual environment that one is used,
anywhere else `.venv` in this folder, which is made on first use. Packages are installed
again when pyproject.toml has changed. Every command is printed before it runs, so that it
can be run by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import subprocess  # nosec B404
import sys
import tempfile
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
STAMP = ".secure-serial-installed"
#: What tests compile runs once or twice: to have it optimised takes a third longer in all.
TESTED_WITH = {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
DEMO_LOG = "demo-audit.jsonl"
#: The last patch of each Keras version that is known, and a JAX of its time: 3.6 needs
#: `jax.spmd_mode`, which later ones have not.
MATRIX = {
    "3.6": ("3.6.0", "0.4.35"),
    "3.8": ("3.8.0", "0.4.38"),
    "3.10": ("3.10.0", "0.6.0"),
    "3.12": ("3.12.4", "0.7.2"),
    "3.13": ("3.13.2", "0.8.1"),
    "3.14": ("3.14.1", "0.9.0"),
    "3.15": ("3.15.1", "0.10.2"),
}
#: What else Keras computes with. Of Keras's versions only some were tried (docs/keras-versions.md).
OTHER_BACKENDS = {"torch": "torch==2.13.0", "tensorflow": "tensorflow-cpu==2.21.0"}
#: What `test` runs beside the newest: the oldest, and one in the middle.
MATRIX_OF_TEST = ("3.6", "3.10")
#: What the wheel must hold beside the code: nothing works without it.
IN_WHEEL = (
    "secure_serial/py.typed",
    "secure_serial/rules/rules.json",
    "secure_serial/authoring/starter.toml",
    "secure_serial/_policies/policy.schema.json",
    "secure_serial/_policies/keras-core.toml",
    "secure_serial/_policies/strict.toml",
    "secure_serial/_policies/inference-only.toml",
    "secure_serial/_policies/legacy-keras2.toml",
    "secure_serial/_policies/sandbox.toml",
    "secure_serial/lambdas/opcodes/3.11.json",
    "secure_serial/sandbox/facades/canonical.json",
    "secure_serial/sandbox/facades/index.json",
    "secure_serial/sandbox/facades/names/tensorflow.json",
    "secure_serial/sandbox/wall/syscalls.json",
    "secure_serial/_policies/catalogue/keras-3.15.json",
    "secure_serial/_policies/catalogue/keras-3.6.diff.json",
    "secure_serial/_policies/catalogue/legacy.json",
    "secure_serial/_policies/catalogue/migrations.json",
)


class Environment:
    """A virtual environment with this checkout in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / ("python.exe" if os.name == "nt" else "python")

    def prepare(self, *extras: str, beside: Sequence[str] = ()) -> None:
        """Make it if it is not there, and install this checkout with these extras.

        Args:
            *extras: Extras of pyproject.toml.
            beside: Further requirements, as pip takes them.

        """
        if not self.python.exists():
            self._create()
        project = (ROOT / "pyproject.toml").read_bytes()
        digest = hashlib.sha256(project + str(ROOT).encode()).hexdigest()
        stamp = self.folder / STAMP
        installed: dict[str, list[str]] = {}
        if stamp.exists():
            installed = json.loads(stamp.read_text(encoding="utf-8"))
        have = set(installed.get(digest, ()))
        if {*extras, *beside} <= have:
            return
        wanted = sorted(have | {*extras, *beside})
        named = [each for each in wanted if each.isalnum()]  # a requirement tells a version
        pip = [str(self.python), "-m", "pip"]
        if not self._has_pip():  # made without: the pip of the Python outside serves both
            pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        target = f".[{','.join(named)}]" if named else "."
        others = [each for each in wanted if each not in named]
        run([*pip, "install", "--quiet", "--disable-pip-version-check", *others, "-e", target])
        stamp.write_text(json.dumps({digest: wanted}), encoding="utf-8")

    def _create(self) -> None:
        say(f"making a virtual environment in {_shown(self.folder)}")
        try:
            venv.create(self.folder, with_pip=True)
        except (subprocess.CalledProcessError, OSError):
            # Some systems ship Python without ensurepip; a pip outside will do.
            venv.create(self.folder, with_pip=False, clear=True)

    def _has_pip(self) -> bool:
        probe = [str(self.python), "-c", "import pip"]
        done = subprocess.run(probe, capture_output=True, check=False)  # nosec B603
        return done.returncode == 0

    def tool(self, name: str) -> str:
        """The path of a command of this environment."""
        return str(self.bin / (f"{name}.exe" if os.name == "nt" else name))


def environment() -> Environment:
    """The activated virtual environment, or else `.venv` of this folder."""
    active = sys.prefix != sys.base_prefix
    return Environment(Path(sys.prefix) if active else ROOT / ".venv")


def say(text: str) -> None:
    """Tell what happens, at once and in order with what commands print."""
    print(text, flush=True)


def stop(message: str) -> NoReturn:
    """End with a message and exit code 1."""
    sys.stdout.flush()
    raise SystemExit(f"tasks.py: {message}")


def run(
    command: Sequence[str],
    *,
    expect: int = 0,
    env: dict[str, str] | None = None,
    beside: bool = False,
) -> None:
    """Print a command, run it in this folder, and stop unless it ends as expected.

    What one prints that runs `beside` others is shown when it has ended.
    """
    say(f"$ {_as_typed(command)}")
    environ = {**os.environ, **(env or {})}
    # No shell, and every command is written out in this file.
    done = subprocess.run(  # nosec B603
        list(command),
        cwd=ROOT,
        env=environ,
        check=False,
        stdout=subprocess.PIPE if beside else None,
        stderr=subprocess.STDOUT if beside else None,
        text=True,
    )
    if beside:
        say(done.stdout)
    if done.returncode != expect:
        stop(f"that ended with exit code {done.returncode}; {expect} was expected")


def _as_typed(command: Sequence[str]) -> str:
    """A command as a person would type it: the tools by name, not by path."""
    first = Path(command[0])
    name = first.stem if first.suffix == ".exe" else first.name
    return shlex.join([name, *command[1:]])


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# The tasks.


def demo() -> None:
    """Scan the example models, load one with Keras, and show the audit log."""
    here = environment()
    here.prepare("jax", "keras")
    secure_serial = here.tool("secure-serial")
    settings = {"KERAS_BACKEND": "jax"}
    benign = "examples/models/benign/text_classifier.keras"
    hostile = "examples/models/hostile/lambda_layer.keras"
    (ROOT / DEMO_LOG).unlink(missing_ok=True)

    _heading("1. Judge a folder of models, benign and hostile. Nothing is loaded.")
    run([secure_serial, "scan", "examples/models"], expect=1)
    say("(exit code 1: something is denied)")

    _heading("2. See what a file would build, object by object.")
    run([secure_serial, "inspect", benign])

    _heading("3. Load it with Keras, under the policy keras-core, on the record.")
    run([secure_serial, "load", benign, "--audit", DEMO_LOG], env=settings)

    _heading("4. The same for a file with code in it: refused before anything is built.")
    run([secure_serial, "load", hostile, "--audit", DEMO_LOG], expect=1, env=settings)
    say("(exit code 1: it is denied)")

    _heading(f"5. What the audit log says: {DEMO_LOG}")
    _show_log(ROOT / DEMO_LOG)


def _heading(text: str) -> None:
    say(f"\n{text}\n{'-' * len(text)}")


def _show_log(path: Path) -> None:
    """The records of a log, with the decisions of the first load."""
    with path.open(encoding="ascii") as file:
        records = [json.loads(line) for line in file]
    shown = False
    for record in records:
        load = record["load"][:8]
        if record["event"] == "outcome":
            say(f"{record['time']}  load {load}  outcome: {record['outcome']}")
            continue
        subject, policy = record["subject"], record["policy"]
        say(f"{record['time']}  load {load}  {record['effect']}: {subject['name']}")
        say(f"    file sha256 {subject['file_sha256']}")
        say(f"    policy {policy['name']} version {policy['version']}, sha256 {policy['sha256']}")
        for decision in record["decisions"]:
            if not shown or decision["effect"] == "deny":
                rules = ", ".join(decision["rules"])
                place = decision["pointer"] or "/"
                say(f"    {decision['effect']}  {decision['symbol']}  ({rules})  at {place}")
        shown = True
    say(f"\n{len(records)} records; each line of the file is one JSON object (docs/audit.md).")


def test(*arguments: str) -> None:
    """Run the tests; further arguments go to pytest."""
    here = environment()
    here.prepare("dev")
    run([str(here.python), *_pytest(arguments)], env=TESTED_WITH)
    if not arguments:
        matrix("--quick", "--versions", *MATRIX_OF_TEST)


def _pytest(arguments: Sequence[str]) -> list[str]:
    """The whole suite takes two processes, where there are two cores; a part of it one.

    The tests of a file stay in one process: some share what takes minutes to make, and those
    have few tests, so that files are taken in order and not by their number of tests. What is
    marked for the matrix is left to that task.
    """
    if arguments:
        return ["-m", "pytest", "-q", *arguments]
    several = (os.cpu_count() or 1) > 1
    spread = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    return ["-m", "pytest", "-q", "-m", "not matrix", *(spread if several else [])]


def matrix(*arguments: str) -> None:
    """Run tests/versions with other versions of Keras, each in an environment of its own."""
    parser = argparse.ArgumentParser(prog="tasks.py matrix", description=matrix.__doc__)
    parser.add_argument("--versions", nargs="+", choices=MATRIX, default=[*MATRIX], metavar="X.Y")
    parser.add_argument("--backend", choices=["jax", *OTHER_BACKENDS], default="jax")
    parser.add_argument("--quick", action="store_true", help="leave out the long ones")
    given = parser.parse_args(arguments)
    jobs = min(os.cpu_count() or 1, len(given.versions))
    with ThreadPoolExecutor(jobs) as pool:
        runs = {
            each: pool.submit(_version, each, given.backend, quick=given.quick)
            for each in given.versions
        }
    failed = [version for version, done in runs.items() if done.exception() is not None]
    if failed:
        stop(f"it failed with Keras {', '.join(failed)}")


def _version(version: str, backend: str, *, quick: bool) -> None:
    keras, jax = MATRIX[version]
    here = Environment(ROOT / ".venvs" / f"keras-{version}-{backend}")
    needed = [OTHER_BACKENDS.get(backend, f"jax=={jax}")]
    needed += ["h5py>=3.11", "pytest>=8.3", "scipy>=1.11"]  # the catalogue's check needs SciPy
    here.prepare(beside=[f"keras=={keras}", *needed])
    command = [str(here.python), "-m", "pytest", "-q", "-W", "ignore", "tests/versions"]
    command += ["-m", "not slow and not matrix"] if quick else []
    say(f"Keras {keras}, {backend}:")
    run(command, env={**TESTED_WITH, "KERAS_BACKEND": backend}, beside=True)


def coverage() -> None:
    """Run the tests, measure branch coverage, and fail below the bound in pyproject.toml."""
    here = environment()
    here.prepare("dev")
    python = str(here.python)
    run([python, "-m", "coverage", "erase"])
    run([python, "-m", "coverage", "run", *_pytest(())], env=TESTED_WITH)
    run([python, "-m", "coverage", "combine", "--quiet"])
    run([python, "-m", "coverage", "report", "--skip-covered"])


def lint() -> None:
    """Check style, types, security findings and the import layers."""
    here = environment()
    here.prepare("dev")
    run([here.tool("ruff"), "check", "."])
    run([here.tool("ruff"), "format", "--check", "."])
    run([here.tool("mypy")])
    run([here.tool("bandit"), "-q", "-r", "secure_serial", "tasks.py", "-c", "pyproject.toml"])
    run([here.tool("lint-imports"), "--no-logo", "--no-cache"])


def fix() -> None:
    """Let ruff correct and format what it can."""
    here = environment()
    here.prepare("dev")
    run([here.tool("ruff"), "check", "--fix", "."])
    run([here.tool("ruff"), "format", "."])


def wheel() -> None:
    """Build the wheel into dist/ and check that policies and catalogue are inside."""
    here = environment()
    here.prepare("dev")
    with tempfile.TemporaryDirectory() as folder:
        run([here.tool("hatchling"), "build", "-t", "wheel", "-d", folder])
        (built,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            missing = sorted(set(IN_WHEEL) - set(archive.namelist()))
        if missing:
            stop(f"the wheel lacks {', '.join(missing)}")
        target = ROOT / "dist" / built.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(built.read_bytes())
    say(f"{_shown(target)}: {target.stat().st_size:,} bytes, all {len(IN_WHEEL)} files inside")


def catalogue() -> None:
    """Write the catalogue of Keras's symbols again, from the installed Keras."""
    here = environment()
    here.prepare("dev")
    python = str(here.python)
    run([python, "-m", "tools.catalogue.generate"], env={"KERAS_BACKEND": "jax"})


def bench(*arguments: str) -> None:
    """Compare reading, judging and loading with plain Python and with Keras."""
    here = environment()
    here.prepare("jax", "keras")
    run([str(here.python), "-m", "benchmarks", *arguments], env={"KERAS_BACKEND": "jax"})


def properties(*arguments: str) -> None:
    """Check what holds for all policies on random ones: a million, or as many as you say."""
    here = environment()
    here.prepare("dev")
    run([str(here.python), "tests/property/laws.py", *arguments])


def mutation(*arguments: str) -> None:
    """Change the code that decides bit by bit, and see that something fails each time."""
    here = environment()
    here.prepare("dev")
    run([str(here.python), "tools/mutate.py", *arguments], env={"KERAS_BACKEND": "jax"})


def fuzz(*arguments: str) -> None:
    """Feed reader, lifter and sandbox at random, each for 120 seconds, or as many as you say."""
    here = environment()
    here.prepare("dev")
    seconds, seed = (*arguments, *("120", str(os.getpid()))[len(arguments) :])
    for tool in ("tools.lambdas.fuzz", "tools.sandbox.fuzz"):
        run([str(here.python), "-m", tool, seconds, seed], env={"KERAS_BACKEND": "jax"})


_ALL = (
    demo,
    test,
    matrix,
    coverage,
    lint,
    fix,
    wheel,
    catalogue,
    bench,
    properties,
    mutation,
    fuzz,
)
TASKS: dict[str, Callable[..., None]] = {task.__name__: task for task in _ALL}
#: Tasks that hand further arguments on.
_OPEN = frozenset({"test", "matrix", "bench", "properties", "mutation", "fuzz"})


def _list() -> str:
    width = max(map(len, TASKS))
    lines = [f"  {name:{width}}  {task.__doc__ or ''}" for name, task in TASKS.items()]
    return "\n".join(["tasks:", *lines])


def main() -> None:
    """Run one task, or list them."""
    if sys.version_info < OLDEST:
        stop(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}")
    parser = argparse.ArgumentParser(
        prog="tasks.py",
        usage="python3 tasks.py TASK [arguments]",
        description="Everything that this repository does, one task each.",
        epilog=_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", nargs="?", choices=TASKS, metavar="TASK", help="one of these")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="for those tasks that take some"
    )
    given = parser.parse_args()
    if given.task is None:
        parser.print_help()
        return
    if given.arguments and given.task not in _OPEN:
        parser.error(f"the task {given.task} takes no arguments")
    try:
        TASKS[given.task](*given.arguments)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
