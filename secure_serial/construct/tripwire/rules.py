"""What a load may make the interpreter do: a pure function of one event and where it came from.

Everything is refused but what is listed here. The events are those of Python's own table
(https://docs.python.org/3/library/audit_events.html, 3.11 to 3.14); what loads need was
seen by recording all events of loads on JAX, the first ones of a process among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

#: Events that change nothing outside and make nothing run. They are by far the most: Keras
#: calls `id` some 100,000 times in a load. What `glob` and `walk` find they ask `scandir`.
HARMLESS = frozenset(
    {
        "array.__new__", "builtins.id", "glob.glob", "glob.glob/2", "marshal.dumps",
        "object.__delattr__", "object.__getattr__", "os.fwalk", "os.walk",
        "pathlib.Path.glob", "pathlib.Path.rglob", "sys._getframe",
        "sys._getframemodulename", "sys.excepthook", "sys.unraisablehook", "time.sleep",
    }
)  # fmt: skip

#: Libraries that compute: Keras's backends, and what those are made of.
BACKENDS = frozenset(
    {
        "absl", "astunparse", "etils", "filelock", "flatbuffers", "fsspec", "functorch", "gast",
        "google", "jax", "jax_cuda12_pjrt", "jax_cuda12_plugin", "jax_cuda13_pjrt",
        "jax_cuda13_plugin", "jax_plugins", "jaxlib", "libtpu", "ml_dtypes", "mpmath", "networkx",
        "numpy", "nvidia", "openvino", "opt_einsum", "scipy", "sympy", "tensorflow", "termcolor",
        "torch", "torch_xla", "torchgen", "torchvision", "tree", "triton", "wrapt",
    }
)  # fmt: skip
#: Installed code whose own import statements are its own affair. A name in a file is none.
LIBRARIES = BACKENDS | {
    "h5py", "keras", "keras_cv", "keras_hub", "keras_nlp", "markdown_it", "mdurl", "namex",
    "optree", "packaging", "pandas", "PIL", "psutil", "pygments", "rich", "typing_extensions",
}  # fmt: skip

_IMPORTER = "importlib._bootstrap_external"
#: Whoever makes modules: the import system, and its part for archives.
_IMPORTERS = frozenset({_IMPORTER, "importlib._bootstrap", "zipimport"})
#: They look for modules and their metadata in every folder of `sys.path`.
_SEEKERS = _IMPORTERS | {"importlib.metadata", "pkgutil"}
#: They write methods as text, from names that a class statement gives them.
_GENERATORS = frozenset({"collections", "dataclasses", "typing", "enum", "functools"})
#: They show the line that a warning or an error is about.
_QUOTERS = frozenset({"linecache", "tokenize"})
_REMOVER = "shutil"
#: Keras unpacks weights and assets there.
_UNPACKER = "keras.src.saving."
#: JAX keeps what it compiled where the program told it to.
_CACHES = ("jax._src.compilation_cache", "jax._src.lru_cache", "jax._src.path")
#: Our own readers. What builds objects is not among them: a class could be `open` itself.
_READERS = tuple(
    f"secure_serial.{part}"
    for part in ("artifact.", "data", "policy.", "rules.", "construct.owners", "construct.sources")
)
#: What a processor and its memory are like, which backends ask for.
_MACHINE = (
    "/dev/null/", "/proc/cpuinfo/", "/proc/meminfo/", "/proc/self/cgroup/", "/proc/self/status/",
    "/proc/stat/", "/sys/devices/system/", "/sys/fs/cgroup/",
)  # fmt: skip


class Cause(NamedTuple):
    """Who made an event happen, as the stack tells since this package last called out."""

    caller: str = ""  # the module of the innermost function
    outer: str = ""  # the innermost module that is not of Python's own library
    via: tuple[str, ...] = ()  # the modules of the library between the event and `outer`
    importing: bool = False  # a module is being imported
    logging: bool = False  # the program's own log handlers are at work


class Reach(NamedTuple):
    """What there is on this machine and in this process."""

    readable: Sequence[str] = ()  # installed code: folders, each with a separator at its end
    sites: Sequence[str] = ()  # those of them that packages are installed to
    own: Sequence[str] = ()  # what Keras unpacks this very model to
    judged: Sequence[str] = ()  # files of weights that Keras opens by itself
    loaded: Container[str] = ()  # names of the modules that are loaded
    library: Container[str] = ()  # names of the modules of Python's own library
    writing: int = 0  # the flags that open a file to be changed


class Event(NamedTuple):
    """What happened: the arguments, with paths absolute and as text, whose doing, and where."""

    args: tuple[object, ...]
    cause: Cause
    reach: Reach


def is_allowed(name: str, event: Event) -> bool:
    """Whether a load needs this.

    >>> is_allowed("os.system", Event(("true",), Cause("acme", "acme"), Reach()))
    False
    >>> importer = Cause("importlib._bootstrap_external")
    >>> is_allowed("marshal.loads", Event((b"",), importer, Reach()))
    True
    """
    if event.cause.logging:
        return True
    rule = _RULES.get(name)
    return rule is not None and rule(event)


def below(path: object, folders: Sequence[str]) -> bool:
    """Whether a path is one of the folders, or in one.

    >>> below("/usr/lib/a.py", ["/usr/lib/"]), below("/usr/library", ["/usr/lib/"])
    (True, False)
    """
    return isinstance(path, str) and f"{_slashed(path)}/".startswith(tuple(map(_slashed, folders)))


def _slashed(path: str) -> str:
    return path.replace("\\", "/")


def _first(name: object) -> str:
    return str(name).partition(".")[0]


# Files.


def _opens(event: Event) -> bool:
    path, mode, flags = event.args
    if isinstance(path, int):  # open already
        return True
    writes = not isinstance(mode, str) or bool(set(mode) & set("wax+"))
    if isinstance(flags, int):
        writes = bool(flags & event.reach.writing)
    event = event._replace(args=(path,))
    return _changes(event) if writes else _reads(event)


def _reads(event: Event) -> bool:
    path, cause, reach = event.args[0], event.cause, event.reach
    if isinstance(path, int) or cause.caller == _REMOVER:  # open already, or judged as a whole
        return True
    if path in reach.judged or any(
        below(path, folders) for folders in (reach.readable, reach.own, _MACHINE)
    ):
        return True
    if cause.outer.startswith((*_READERS, *_CACHES)):
        return True
    if cause.caller in _QUOTERS:
        return str(path).endswith(".py")
    return "importlib.metadata" in cause.via and "-info" in str(path)


def _lists(event: Event) -> bool:
    return not _SEEKERS.isdisjoint(event.cause.via) or _reads(event)


def _changes(event: Event) -> bool:
    """A file is written, made, moved or removed."""
    paths = [path for path in event.args if isinstance(path, str)]
    cause = event.cause
    if cause.caller == _IMPORTER:  # the compiled form of a module, on its first import
        return all(".pyc" in path or path.endswith("__pycache__") for path in paths)
    if cause.outer.startswith(_CACHES) or paths == ["/dev/null"]:
        return True
    if cause.caller == "tempfile" and cause.outer.startswith(_UNPACKER):
        return True  # tries out a folder once, and takes the file away again
    return bool(paths) and all(below(path, event.reach.own) for path in paths)


def _removes(event: Event) -> bool:
    """Within `rmtree`, whose folder was judged when it began, names are relative to a handle."""
    return event.cause.caller == _REMOVER or _changes(event)


def _temporary(event: Event) -> bool:
    return event.cause.outer.startswith(_UNPACKER) or _changes(event)


def _maps(event: Event) -> bool:
    return event.args[0] == -1  # memory of nobody's file


# Modules and code.


def _imports(event: Event) -> bool:
    """An import statement, or an extension module that is linked in."""
    name, file = event.args[:2]
    if file is not None and not below(file, event.reach.readable):
        return False
    return _is_known(_first(name), event.reach) or _first(event.cause.outer) in LIBRARIES


def _is_known(name: str, reach: Reach) -> bool:
    return name in reach.loaded or name in reach.library or name in LIBRARIES


def _runs(event: Event) -> bool:
    """Code is executed: a module's, or what a generator of methods wrote."""
    if event.cause.caller in _IMPORTERS:
        return _is_module(event)
    return event.cause.caller in _GENERATORS or _sets_up(event)


def _is_module(event: Event) -> bool:
    """Whether the code is that of a module that may be imported here."""
    file, reach = str(event.args[0]), event.reach
    if file.startswith("<frozen "):
        return True
    if not below(file, reach.readable):
        return False
    site = next((folder for folder in reach.sites if below(file, (folder,))), None)
    if site is None:
        return True
    name = _slashed(file[len(site) :]).partition("/")[0].partition(".")[0]
    if _is_known(name, reach):
        return True
    # `importlib.import_module` takes any text, an import statement none.
    return "importlib" not in event.cause.via and _first(event.cause.outer) in LIBRARIES


def _makes_code(event: Event) -> bool:
    caller = event.cause.caller
    if caller == "ast":  # a tree, no code
        return True
    return caller in _IMPORTERS or caller in _GENERATORS or _sets_up(event)


def _unmarshals(event: Event) -> bool:
    return event.cause.caller in _IMPORTERS


def _sets_up(event: Event) -> bool:
    """A backend's module is being imported, and this is its own code."""
    return event.cause.importing and _first(event.cause.outer) in BACKENDS


def _makes_function(event: Event) -> bool:
    """Of a backend; or of the sandbox, which makes a function with defaults for each call of it."""
    return event.cause.caller == "secure_serial.sandbox.function" or _sets_up(event)


def _links(event: Event) -> bool:
    """A shared library. `import ctypes` itself asks for the program's own, which has no name."""
    cause = event.cause
    importing = cause.caller == "ctypes" and cause.importing
    return (event.args[0] is None and importing) or _sets_up(event)


def _sets(event: Event) -> bool:
    return event.args[1] != "__code__" or _sets_up(event)


def _starts_thread(event: Event) -> bool:
    return _first(event.cause.outer) in BACKENDS


_RULES: dict[str, Callable[[Event], bool]] = {
    "open": _opens,
    "os.listdir": _lists,
    "os.scandir": _lists,
    "import": _imports,
    "exec": _runs,
    "compile": _makes_code,
    "marshal.loads": _unmarshals,
    "code.__new__": _sets_up,
    "function.__new__": _makes_function,
    "object.__setattr__": _sets,
    "os.putenv": _sets_up,
    "os.unsetenv": _sets_up,
    "ctypes.dlopen": _links,
    "ctypes.dlsym": _sets_up,
    "ctypes.dlsym/handle": _sets_up,
    "mmap.__new__": _maps,
    "_thread.start_new_thread": _starts_thread,
    "_thread.start_joinable_thread": _starts_thread,
    "tempfile.mkdtemp": _temporary,
    "tempfile.mkstemp": _temporary,
    "os.mkdir": _changes,
    "os.remove": _removes,
    "os.rename": _changes,
    "os.rmdir": _removes,
    "os.chmod": _changes,
    "os.utime": _changes,
    "shutil.rmtree": _changes,
}
#: How many of the first arguments of an event are paths.
PATHS = {
    "open": 1, "os.listdir": 1, "os.scandir": 1, "os.rename": 2, "os.mkdir": 1, "os.remove": 1,
    "os.rmdir": 1, "os.chmod": 1, "os.utime": 1, "shutil.rmtree": 1, "tempfile.mkdtemp": 1,
    "tempfile.mkstemp": 1,
}  # fmt: skip
