"""How modules of a project are found: as Motia 0.17 found them, and in the ways that real projects try besides.

A module is imported by its path from the project's root (`src.orders.prices`). It may also be named from `src/` or
`steps/` (`orders.prices`), from the folder of the step that imports it (`prices`), from the folder above the project
(`shop.src.orders.prices`), or through a path that the project adds to `sys.path`. Whatever it is called, it is one
module: all but the first of these names are aliases.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_STEP_FOLDERS = ("src", "steps")


class ProjectImports(MetaPathFinder):
    """Finds the modules of one project. `root` is a real path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: set[str] = set()
        """Source files that were imported or tried to be, relative to the project, with `/`."""
        self._elsewhere = [str(root / folder) for folder in _STEP_FOLDERS]
        """Folders to look into for what `sys.path` does not have; the folder of the newest step comes first."""
        self._aliases: list[str] = []

    def install(self) -> None:
        """Takes part in every import of this process from now on."""
        sys.path.insert(0, str(self._root))
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)
        importlib.invalidate_caches()

    def import_file(self, file: str) -> ModuleType:
        """Imports a file, given relative to the project. Raises whatever it raises."""
        path = self._root / file
        folder = str(path.parent)
        if folder in self._elsewhere:
            self._elsewhere.remove(folder)
        self._elsewhere.insert(0, folder)
        name = _join(self._package(path.parent), path.stem)
        try:
            return importlib.import_module(name) if "." not in path.stem else self._import_dotted(name, path)
        finally:
            # The next step may mean another module by the same short name.
            for alias in self._aliases:
                sys.modules.pop(alias, None)
            self._aliases.clear()

    def _import_dotted(self, name: str, path: Path) -> ModuleType:
        """Imports `x.step.py`, which has no name to import it by."""
        self.files.add(path.relative_to(self._root).as_posix())
        name = _join(name.removesuffix(f".{path.stem}"), _undotted(path.stem))
        spec = spec_from_file_location(name, path, loader=_ProjectLoader(name, str(path)))
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def _package(self, folder: Path) -> str:
        """The name of the package that a folder is, made here if it cannot be imported by its name."""
        if folder == self._root:
            return ""
        name = _join(self._package(folder.parent), _undotted(folder.name))
        if "." in folder.name and name not in sys.modules:
            package = ModuleType(name)
            package.__path__ = [str(folder)]
            sys.modules[name] = package
        return name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = self._find_in_project(fullname) if path is None else PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return None
        file = self._project_file(spec)
        if file is None:
            return spec
        if type(spec.loader) is SourceFileLoader:
            self.files.add(file.as_posix())
            spec.loader = _ProjectLoader(spec.loader.name, spec.loader.path)
        name = _name_of(file)
        if name in ("", fullname):
            return spec
        self._aliases.append(fullname)
        return ModuleSpec(fullname, _AliasLoader(name), is_package=spec.submodule_search_locations is not None)

    def _find_in_project(self, name: str) -> ModuleSpec | None:
        """Finds what is not in a package."""
        if name in _STEP_FOLDERS:
            # Some packages install a `src` of theirs, which would win over a folder without `__init__.py`.
            own = PathFinder.find_spec(name, [str(self._root)])
            if own is not None:
                return own
        spec = PathFinder.find_spec(name)
        if spec is not None:
            return spec
        found = [spec for folder in self._elsewhere if (spec := PathFinder.find_spec(name, [folder])) is not None]
        if not found and name == self._root.name:
            return PathFinder.find_spec(name, [str(self._root.parent)])
        return next((spec for spec in found if spec.origin is not None), found[0] if found else None)

    def _project_file(self, spec: ModuleSpec) -> Path | None:
        """The file or folder of a module relative to the project; `None` for what is not of its own sources."""
        places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
        if not places or places[0] is None or not places[0].startswith(str(self._root)):
            return None
        try:
            file = Path(os.path.realpath(places[0])).relative_to(self._root)
        except ValueError:
            return None
        return None if "site-packages" in file.parts else file


class _ProjectLoader(SourceFileLoader):
    """Keeps no bytecode: nothing is written into the project, and a second change within a second is noticed."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Nothing."""


class _AliasLoader(Loader):
    """Gives the module that has another name already."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # which Python has replaced meanwhile


def _name_of(file: Path) -> str:
    """The name to import a file or folder by; empty if there is none."""
    path = file.parent if file.name == "__init__.py" else file.parent / file.stem
    return "" if any("." in part for part in path.parts) else ".".join(path.parts)


def _undotted(name: str) -> str:
    return name.replace(".", ":")


def _join(package: str, name: str) -> str:
    return f"{package}.{name}" if package else name
