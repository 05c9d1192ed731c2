"""Turns what a module raised while it was imported into one failure that names the source, and what would help."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from ..errors import to_error_record

# Packages that are installed under another name than they are imported by.
_PACKAGES = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "pysocks",
    "win32api": "pywin32",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


@dataclass(frozen=True, slots=True)
class StepFailure:
    """Why a step file is not served."""

    file: str
    """Relative to the project, with `/`."""
    message: str
    line: int | None = None
    """From 1; only of a place in `file` itself."""
    column: int | None = None
    """From 1."""

    def to_json(self) -> dict[str, object]:
        """As the other processes know it. No earlier version of the file is served in its place."""
        failure: dict[str, object] = {"file": self.file, "message": self.message, "kept": False}
        if self.line is not None:
            failure["line"] = self.line
        if self.column is not None:
            failure["column"] = self.column
        return failure


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    line: int
    column: int | None
    text: str = ""
    """The line itself, of a syntax error."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.column is None else f"{self.file}:{self.line}:{self.column}"


def describe_import_error(error: BaseException, root: Path, file: str) -> StepFailure:
    """Where and why the import of a step file failed. `root` is a real path, `file` relative to it."""
    place = (_syntax_place(error, root) if isinstance(error, SyntaxError) else None) or _innermost_place(error, root)
    cause = _describe(error, root)
    if place is None:
        return StepFailure(file, f"{file}: {cause}")
    source = f"\n  {place.line} | {place.text}" if place.text else ""
    if place.file != file:
        return StepFailure(file, f"{file}: {cause} (at {place}){source}")
    return StepFailure(file, f"{place}: {cause}{source}", place.line, place.column)


def _describe(error: BaseException, root: Path) -> str:
    if isinstance(error, SystemExit):
        return f"called sys.exit({'' if error.code is None else error.code})"
    lines = (str(error.msg) if isinstance(error, SyntaxError) else to_error_record(error)["message"]).splitlines()
    cause = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str):
        return cause + _advise(error.name, root)
    return cause


def _advise(name: str, root: Path) -> str:
    """What would help against a missing module, beginning with the end of the sentence before."""
    module = name.partition(".")[0]
    if module in sys.modules:  # a part of it is missing
        return ""
    if module in sys.stdlib_module_names:
        return ". It is part of Python, but not of the Python that runs here"
    in_project = any(
        (folder / module).is_dir() or (folder / f"{module}.py").is_file()
        for folder in (root, root / "src", root / "steps")
    )
    if in_project:
        return ""
    return f". This installs it: pip install {_PACKAGES.get(module, module)}. Add it to requirements.txt, too"


def _syntax_place(error: SyntaxError, root: Path) -> _Place | None:
    file = _project_path(error.filename, root)
    if file is None or error.lineno is None:
        return None
    return _Place(file, error.lineno, error.offset or None, (error.text or "").strip())


def _innermost_place(error: BaseException, root: Path) -> _Place | None:
    """The innermost place in a source file of the project."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = _project_path(frame.filename, root)
        if file is not None and frame.lineno is not None:
            column = getattr(frame, "colno", None)  # since Python 3.11
            return _Place(file, frame.lineno, None if column is None else column + 1)
    return None


def _project_path(path: str | None, root: Path) -> str | None:
    """The path relative to the project; `None` for what is not of its own sources."""
    if path is None:
        return None
    try:
        relative = Path(path).relative_to(root)
    except ValueError:
        return None
    return None if "site-packages" in relative.parts else relative.as_posix()
