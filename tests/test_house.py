"""The house rules that a machine can check.

The core is pure; the repository names no package registry and no path of one machine; every public module
says what it is for; files stay small.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "motma"
VENDOR = PACKAGE / "web" / "static" / "vendor"

MOST_LINES = 450
# Path -> lines it may have. Each entry needs a reason beside it.
LONGER_FILES: dict[str, int] = {}

# What reaches outside: sockets, files, processes, clocks, randomness, the environment.
# fmt: off
IMPURE_MODULES = frozenset({
    "aiohttp", "asyncio", "asyncpg", "concurrent", "ctypes", "ftplib", "getpass", "glob",
    "httpx", "io", "locale", "logging", "mmap", "multiprocessing", "os", "pathlib",
    "platform", "random", "requests", "sched", "secrets", "select", "selectors", "shutil",
    "signal", "smtplib", "socket", "socketserver", "sqlalchemy", "sqlite3", "ssl", "structlog",
    "subprocess", "tempfile", "threading", "time", "uuid",
})
# fmt: on
IMPURE_SUBMODULES = frozenset({"importlib.resources", "urllib.request", "http.client", "http.server"})
IMPURE_BUILTINS = frozenset({"open", "print", "input", "eval", "exec", "__import__", "breakpoint"})
# Called on a class or module: datetime.now(), date.today(), key.generate_private_key() and their kind.
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "generate_private_key", "generate_key", "urandom"})


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def _is_impure_module(name: str) -> bool:
    return name.split(".")[0] in IMPURE_MODULES or any(
        name == module or name.startswith(f"{module}.") for module in IMPURE_SUBMODULES
    )


def impurities(tree: ast.Module) -> Iterator[str]:
    """What in a module of the core reaches outside, each as ``line: what``."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names if _is_impure_module(alias.name)]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                full = [module, *(f"{module}.{alias.name}" for alias in names)]
                found = [name for name in full if _is_impure_module(name)][:1]
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_BUILTINS:
                found = [f"{name}()"]
            case ast.Call(func=ast.Attribute(attr=name)) if name in IMPURE_METHODS:
                found = [f".{name}()"]
            case _:
                continue
        yield from (f"line {node.lineno}: {what}" for what in found)


def _python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if VENDOR not in path.parents)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("source", "impure"),
    [
        ("import os.path", True),
        ("from urllib.request import urlopen", True),
        ("from importlib import resources", True),
        ("from datetime import datetime\nx = datetime.now()", True),
        ("open('x')", True),
        ("from .time import x", False),
        ("from urllib.parse import quote", False),
        ("from datetime import datetime\nx = datetime.fromtimestamp(0)", False),
    ],
)
def test_the_purity_check_sees_what_reaches_outside(source: str, impure: bool) -> None:
    assert bool(list(impurities(ast.parse(source)))) is impure


def test_core_is_pure() -> None:
    found = {_name(path): list(impurities(_parse(path))) for path in _python_files(PACKAGE / "core")}
    assert {name: what for name, what in found.items() if what} == {}


def _tracked_texts() -> Iterator[tuple[str, str]]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            yield name, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture or another binary file


# Written apart, so that this file does not name what it forbids.
REGISTRIES = (
    "pypi.%s",
    "pythonhosted.%s",
    "npmjs.%s",
    "yarnpkg.%s",
    "deb.debian.%s",
    "jsdelivr.%s",
    "unpkg.%s",
)
FORBIDDEN_TEXT = re.compile(
    "|".join(
        [
            *(re.escape(host % ending) for host in REGISTRIES for ending in ("org", "com", "net")),
            "/work" + r"/(?:main|shared|\.)",
            "(?<![\\w.])/root" + "/",
            "(?<![\\w.])/home" + r"/\w",
            "/opt" + "/(?:pypi|wheels)",
        ]
    )
)


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name, text in _tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := FORBIDDEN_TEXT.search(line))
    ]
    assert found == []


def test_every_public_module_says_what_it_is_for() -> None:
    silent = [
        _name(path)
        for path in _python_files(PACKAGE)
        if (path.name == "__init__.py" or not path.name.startswith("_"))
        and (tree := _parse(path)).body
        and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_files_stay_small() -> None:
    files = [
        path
        for folder in (PACKAGE, ROOT / "tests", ROOT / "bench")
        for suffix in ("*.py", "*.js", "*.mjs", "*.css", "*.html")
        for path in folder.rglob(suffix)
        if VENDOR not in path.parents and "node_modules" not in path.parts
    ]
    lines = {_name(path): len(path.read_text("utf-8").splitlines()) for path in files}
    too_long = {name: count for name, count in lines.items() if count > LONGER_FILES.get(name, MOST_LINES)}
    assert too_long == {}
    assert set(LONGER_FILES) <= set(lines), "an exception for a file that is gone"
