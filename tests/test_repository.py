"""Facts about the repository: what the wheel holds, how large files are, where links lead."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import secure_serial
from secure_serial.registry import get_custom_objects

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "secure_serial"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("policies/*.md"),
    *ROOT.glob("examples/*.md"),
]  # fmt: skip
#: House rules (CONTRIBUTING.md).
FILE_LINES = 400
FUNCTION_LINES = 40


def named(path):
    return path.relative_to(ROOT).as_posix()


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def load_tasks():
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, **options):
    return subprocess.run(
        [sys.executable, *command], capture_output=True, encoding="utf-8", check=False, **options
    )


# The wheel.


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    done = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_code_policies_catalogue_and_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {named(path) for path in SOURCES} | set(load_tasks().IN_WHEEL)
    assert wanted <= names
    assert not any(name.startswith(("tests/", "tools/", "benchmarks/")) for name in names)


def test_wheel_works_by_itself(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import secure_serial.data as data;"
        f"assert data.__file__.startswith({str(tmp_path)!r}), data.__file__;"
        "from secure_serial.cli.main import main;"
        f"sys.exit(main(['scan', {str(ROOT / 'examples' / 'models' / 'benign')!r}]))"
    )
    done = run("-I", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_versions_agree():
    version = PROJECT["project"]["version"]
    assert secure_serial.__version__ == version
    short = ".".join(version.split(".")[:2])
    assert f"| {short} |" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"version {short}." in (ROOT / "README.md").read_text(encoding="utf-8")


def test_command_is_where_the_project_says():
    module, _, name = PROJECT["project"]["scripts"]["secure-serial"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


# The code.


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_group_is_possessive(path):
    """CPython before 3.11.5 takes them for other patterns (python/cpython#106052); `(?>…)` will do."""
    assert not re.search(r"\)[*+?]\+", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_functions_are_short(path):
    """Without their docstrings: an example that runs is worth its lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= FUNCTION_LINES, f"{node.name}: {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_examples_in_docstrings_run(path):
    source = path.read_text(encoding="utf-8")
    if ">>> " not in source:
        assert not doctest.DocTestParser().get_examples(source)
        return
    before = dict(get_custom_objects())
    try:
        result = doctest.testmod(importlib.import_module(module_of(path)))
    finally:
        get_custom_objects().clear()
        get_custom_objects().update(before)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", [n for n in secure_serial.__all__ if n != "__version__"])
def test_public_name_is_documented(name):
    assert getattr(secure_serial, name).__doc__


def test_public_names_are_those_for_type_checkers():
    """What a type checker sees must be what is looked up."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("secure_serial")
        for alias in node.names
    }
    assert typed == secure_serial._HOME


def test_layers_hold(tmp_path):
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports_command as c; c(['--no-cache', '--no-logo'])"
    done = run("-c", code, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


# The texts.


def anchors(path):
    """The anchors of a page, as GitHub makes them from its headings."""
    text = re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert all(
        f"({path.name})" in decisions for path in (ROOT / "docs" / "decisions").glob("0*.md")
    )


def test_every_dependency_has_its_reason():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.match(r"[\w-]+", requirement)[0].lower() for requirement in wanted}
    assert sorted(name for name in names if name not in page) == []


def test_contributing_lists_every_task():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tasks = load_tasks().TASKS
    assert all(task.__doc__ for task in tasks.values())
    assert [name for name in tasks if not re.search(rf"^\| `{name}\b", page, re.MULTILINE)] == []


def test_readme_starts_with_the_two_commands():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
    assert commands[:2] == ["python3 tasks.py demo", "python3 tasks.py test"]
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_no_file_names_this_machine():
    # Where the data for the tests stands beside the checkout, its folder is one of a kind, too;
    # elsewhere the parent may be any folder that a hostile file rightly names.
    folders = (ROOT, ROOT.parent) if (ROOT.parent / "shared").is_dir() else (ROOT,)
    here = [str(folder).encode() for folder in folders if len(folder.parts) > 1]
    files = [path for path in tracked() if path.is_file()]
    # As a path of its own, not as a part of a longer one.
    pattern = re.compile(rb"(?<![\w.])(?:" + b"|".join(map(re.escape, here)) + rb")(?=[/\s\"'`])")
    assert [named(path) for path in files if pattern.search(path.read_bytes())] == []


CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
(PURE,) = (each["source_modules"] for each in CONTRACTS if each["id"] == "pure")


def pure_files():
    for module in PURE:
        path = ROOT.joinpath(*module.split("."))
        yield from path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("path", list(pure_files()), ids=named)
def test_the_decision_core_reads_no_clock_and_opens_nothing(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert (
        called & {"now", "today", "utcnow", "open", "exec", "eval", "__import__", "input"} == set()
    )


# The hosted parts.


def test_workflow_pins_actions_and_has_no_rights_by_default():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in uses)
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in workflow["jobs"].values())


def test_hook_runs_a_command_that_exists():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    script, command = hook["entry"].split()
    assert script in PROJECT["project"]["scripts"]
    done = run("-m", "secure_serial", command, "--help", cwd=ROOT)
    assert done.returncode == 0
