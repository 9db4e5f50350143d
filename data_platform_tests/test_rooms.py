"""The house keeps its order: rooms import upwards only, every room has a charter, files stay small."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import data_platform
from data_platform.settings import PROJECT_ROOT, Settings

ROOT = Path(data_platform.__file__).parent
ORDER = (
    "errors",
    "settings",
    "client",
    "catalog",
    "metrics",
    "records",
    "alerting",
    "sources",
    "warehouse",
    "quality",
    "sync",
    "governance",
    "orchestration",
    "definitions",
    "cli",
)
FORBIDDEN = {
    ("sources", "warehouse"),
    ("sources", "alerting"),
    ("warehouse", "alerting"),
    ("warehouse", "records"),
    ("warehouse", "sources"),
    ("quality", "alerting"),
    ("quality", "records"),
    ("quality", "sources"),
    ("quality", "warehouse"),
    ("governance", "sources"),
}
DAGSTER_ROOMS = {"orchestration", "definitions"}
MODULES = sorted(ROOT.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_upwards_only(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "dagster":
            assert room in DAGSTER_ROOMS, f"{path} knows Dagster"
        if parts[0] != "data_platform" or len(parts) == 1:
            continue
        assert ORDER.index(parts[1]) <= ORDER.index(room), f"{path} imports {name} from below"
        assert (room, parts[1]) not in FORBIDDEN, f"{path} may not know {parts[1]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_about_and_stays_small(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= 300, f"{path} is about more than one thing"


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = {
        line.split("`")[1] for line in (PROJECT_ROOT / "docs" / "settings.md").read_text().splitlines() if "| `" in line
    }
    settings = {
        "QUERY_AUDIT_ENCRYPTION_KEY" if name == "query_audit_encryption_key" else f"DATA_PLATFORM_{name.upper()}"
        for name in Settings.model_fields
    }
    assert documented == settings


def test_every_direct_dependency_is_explained() -> None:
    project = (PROJECT_ROOT / "pyproject.toml").read_text()
    explained = (PROJECT_ROOT / "docs" / "dependencies.md").read_text()
    block = project.partition("dependencies = [")[2].partition("\n]\n")[0]
    names = [
        line.strip().strip('",').split(">=")[0].split("[")[0] for line in block.splitlines() if line.strip()[:1] == '"'
    ]
    assert len(names) > 15
    for name in names:
        assert name in explained, f"{name} is not in docs/dependencies.md"


def test_the_documents_name_files_that_exist() -> None:
    documents = [PROJECT_ROOT / "README.md", PROJECT_ROOT / "CONTRIBUTING.md", *(PROJECT_ROOT / "docs").rglob("*.md")]
    for document in documents:
        text = document.read_text()
        for link in re.findall(r"\]\((?!http|#)([^)#]+)", text):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
        for word in text.split("`")[1::2]:
            if word.startswith(("data_platform", "sql/", "docs/")) and "<" not in word and " " not in word:
                assert (PROJECT_ROOT / word).exists(), f"{document.name} names {word}"
