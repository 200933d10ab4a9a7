"""The bounds of the code's structure: few modules, each short enough to read in one sitting, few with one importer."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENTRY_FILES = {"__init__.py", "__main__.py"}

MAX_MODULES = 135
MAX_LINES = 400
MAX_WITH_ONE_IMPORTER = 25


def python_files() -> Mapping[str, Path]:
    """Every file of the product by its module name."""
    roots = {ROOT / "src": (ROOT / "src").rglob("*.py"), ROOT: (ROOT / "client").rglob("*.py")}
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path for root, paths in roots.items() for path in paths
    }


def imported_names(path: Path) -> Iterator[str]:
    """Both forms of `from a import b`: `a`, and `a.b` where `b` is a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


FILES = python_files()
MODULES = {name: path for name, path in FILES.items() if path.name not in ENTRY_FILES}


def test_there_are_few_modules() -> None:
    """Entry files of packages are not counted."""
    assert len(MODULES) <= MAX_MODULES


def test_no_module_is_long() -> None:
    """At most 400 lines."""
    lines = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_few_modules_have_one_importer() -> None:
    """Such a module is a section of the module that imports it, unless it changes for another reason."""
    importers: dict[str, set[str]] = {name: set() for name in MODULES}
    for importer, path in FILES.items():
        for name in importers.keys() & set(imported_names(path)) - {importer}:
            importers[name].add(importer)
    alone = sorted(name for name, users in importers.items() if len(users) == 1)
    assert len(alone) <= MAX_WITH_ONE_IMPORTER, alone
