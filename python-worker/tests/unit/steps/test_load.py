"""What step files must define, how they find other modules, and what is said of those that do not load."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from motia.steps.import_error import StepFailure
from motia.steps.load import LoadedProject, LoadedStep, load_project

Files = Mapping[str, str]
Load = Callable[[Files], LoadedProject]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """An empty project. What loading it does to this process is undone."""
    before = sys.path[:], sys.meta_path[:], set(sys.modules)
    (tmp_path / "shop").mkdir()
    yield tmp_path / "shop"
    sys.path[:], sys.meta_path[:], modules = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def load(root: Path) -> Load:
    def load(files: Files) -> LoadedProject:
        write(root, files)
        return load_project(root, sorted(file for file in files if re.search(r"[._](step|stream)\.py$", file)))

    return load


def write(root: Path, files: Files) -> None:
    for file, text in files.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def api_step(name: str, expression: str = "1", head: str = "") -> str:
    """Text of an API step whose handler returns an expression."""
    return (
        f"{head}\nconfig = {{'type': 'api', 'name': '{name}', 'method': 'GET', 'path': '/{name}', 'emits': []}}\n"
        f"def handler(req, context):\n    return {expression}\n"
    )


def value_of(step: LoadedStep) -> Any:
    assert step.handler is not None
    return step.handler({}, None)


def values(project: LoadedProject) -> dict[str, Any]:
    assert project.failures == []
    return {step.entry["name"]: value_of(step) for step in project.steps}


def only_failure(project: LoadedProject) -> StepFailure:
    (failure,) = project.failures
    return failure


class TestWhatAStepDefines:
    def test_steps_and_validators(self, load: Load) -> None:
        gate = "{'type': 'noop', 'name': 'g', 'virtualEmits': [], 'virtualSubscribes': []}"
        event = "{'type': 'event', 'name': 'e', 'subscribes': ['t'], 'emits': [], 'input': Order}"
        head = "from pydantic import BaseModel\nclass Order(BaseModel):\n    n: int\n"
        project = load(
            {
                "src/e_step.py": f"{head}config = {event}\nasync def handler(order, context): ...",
                "src/gate_step.py": f"config = {gate}",
                "steps/a_step.py": api_step("a").replace("'emits'", "'bodySchema': {'required': ['n']}, 'emits'"),
            }
        )
        assert (project.failures, project.warnings) == ([], [])
        event_step, noop_step, api_step_ = project.steps
        assert noop_step.entry["type"] == "noop"
        assert noop_step.handler is None
        assert event_step.entry["inputSchema"]["required"] == ["n"]
        for step in (event_step, api_step_):
            assert step.validate is not None
            assert step.validate({"n": 1}) == []
            assert step.validate({}) != []

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("def handler(): ...", 'no variable named "config"'),
            (api_step("x").replace("def handler", "def handle"), 'no function named "handler"'),
            (api_step("x") + "handler = 7", 'no function named "handler"'),
            (api_step("x").replace("'emits'", "'extra': 1, 'emits'"), 'invalid config: Unrecognized key: "extra"'),
            (api_step("x").replace("GET", "GOT"), "invalid config: method: Expected one of GET, POST, PUT, DELETE"),
            ("config = 'api'", "invalid config: Expected a step config of type api, event, cron or noop"),
        ],
    )
    def test_a_bad_step_fails_its_neighbour_loads(self, load: Load, text: str, message: str) -> None:
        project = load({"src/bad_step.py": text, "src/good_step.py": api_step("good")})
        failure = only_failure(project)
        assert failure.file == "src/bad_step.py"
        assert failure.message.startswith(f"src/bad_step.py: {message}")
        assert failure.to_json() == {"file": failure.file, "message": failure.message, "kept": False}
        assert [step.entry["name"] for step in project.steps] == ["good"]

    def test_names_and_routes_that_are_used_twice(self, load: Load) -> None:
        project = load(
            {
                "src/a_step.py": api_step("same"),
                "src/b_step.py": api_step("same", "2").replace("/same", "/other"),
                "src/c_step.py": api_step("third", "3").replace("/third", "/same"),
            }
        )
        assert [step.entry["id"] for step in project.steps] == ["same", "same@src/b_step.py"]
        assert [value_of(step) for step in project.steps] == [1, 2]
        assert len(project.warnings) == 2


PRICES = {"src/orders/prices.py": "import itertools\ncounter = itertools.count()\n"}


class TestImports:
    @pytest.mark.parametrize(
        "statement",
        [
            "from src.orders import prices",
            "import src.orders.prices as prices",
            "from . import prices",
            "from ..orders import prices",
            "from orders import prices",
            "import orders.prices as prices",
            "import prices",
            "from shop.src.orders import prices",
            "import sys, os; sys.path.append(os.path.dirname(os.path.dirname(__file__)))\nfrom orders import prices",
            "import sys, os; sys.path.insert(0, os.path.dirname(__file__))\nimport prices",
            "import sys, os; sys.path.insert(0, os.path.dirname(__file__) + '/../orders')\nimport prices",
            "import importlib; prices = importlib.import_module('src.orders.prices')",
        ],
    )
    def test_a_module_is_one_however_it_is_named(self, load: Load, statement: str) -> None:
        project = load(
            {
                **PRICES,
                "src/a_step.py": api_step("a", "next(prices.counter)", "from src.orders import prices"),
                "src/orders/b_step.py": api_step("b", "(next(prices.counter), prices.__spec__.name)", statement),
            }
        )
        assert values(project) == {"a": 0, "b": (1, "src.orders.prices")}
        assert project.inputs == ["src/a_step.py", "src/orders/b_step.py", "src/orders/prices.py"]

    def test_packages_with_and_without_an_init_file(self, load: Load) -> None:
        files = {
            "src/services/__init__.py": "from .one import ONE\nfrom services import two\n",
            "src/services/one.py": "ONE = 1",
            "src/services/two.py": "import services\nfrom services.one import ONE\nTWO = ONE + 1",
            "steps/plain/three.py": "THREE = 3",
            "steps/a_step.py": api_step(
                "a", "(ONE, two.TWO, THREE)", "from services import ONE, two\nfrom plain.three import THREE"
            ),
        }
        assert values(load(files)) == {"a": (1, 2, 3)}

    def test_each_step_finds_the_module_beside_it_first(self, load: Load) -> None:
        files = {
            f"src/{name}/{file}": text
            for name in ("a", "b", "c")
            for file, text in {
                "helper.py": f"NAME = '{name}'",
                f"{name}_step.py": api_step(name, "helper.NAME", "import helper"),
            }.items()
        }
        assert values(load(files)) == {"a": "a", "b": "b", "c": "c"}

    def test_a_package_wins_over_what_is_only_beside_a_step(self, load: Load) -> None:
        files = {"src/orjson.py": "", "src/a_step.py": api_step("a", "orjson.loads('1')", "import orjson")}
        assert values(load(files)) == {"a": 1}

    def test_a_package_called_src_does_not_hide_the_projects_own(self, load: Load, tmp_path: Path) -> None:
        write(tmp_path / "site-packages", {"src/__init__.py": "raise ValueError('the wrong one')"})
        sys.path.append(str(tmp_path / "site-packages"))
        assert values(load({"src/a_step.py": api_step("a")})) == {"a": 1}

    def test_names_with_dots_load_and_import_relatively(self, load: Load) -> None:
        files = {
            "src/v1.2/create.step.py": api_step(
                "a", "(X, Y, __name__)", "from .helper import X\nfrom ..other import Y"
            ),
            "src/v1.2/create_step.py": api_step("b", "X", "from .helper import X"),
            "src/v1.2/helper.py": "X = 1",
            "src/other.py": "Y = 2",
            "src/my-folder/my-own_step.py": api_step("c", "Z", "from .my_helper import Z"),
            "src/my-folder/my_helper.py": "Z = 3",
        }
        project = load(files)
        assert values(project) == {"a": (1, 2, "src.v1:2.create:step"), "b": 1, "c": 3}
        assert project.inputs == sorted(files)

    def test_a_step_can_import_another(self, load: Load) -> None:
        files = {
            "src/a_step.py": api_step("a", "next(counter)", "import itertools\ncounter = itertools.count()"),
            "src/b_step.py": api_step("b", "next(counter)", "from src.a_step import counter"),
        }
        assert values(load(files)) == {"a": 0, "b": 1}

    def test_an_import_within_a_handler_works_later_too(self, load: Load) -> None:
        late = "__import__('importlib').import_module('late').LATE"
        files = {"src/lib/late.py": "LATE = 1", "src/lib/a_step.py": api_step("a", late)}
        assert values(load(files)) == {"a": 1}

    def test_a_module_may_run_an_event_loop_while_it_is_imported(self, load: Load) -> None:
        head = "import asyncio\nasync def ready(): return 7\nREADY = asyncio.run(ready())"
        assert values(load({"src/a_step.py": api_step("a", "READY", head)})) == {"a": 7}

    def test_nothing_is_written_into_the_project(self, load: Load, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor could Python tell two versions of the same second and length apart."""
        monkeypatch.setattr(sys, "dont_write_bytecode", False)
        write(root, {"src/old.py": ""})
        long_ago = time.time() - 60
        os.utime(root / "src/old.py", (long_ago, long_ago))
        values(load({"src/a_step.py": api_step("a", head="from src import old")}))
        assert {path.name for path in root.rglob("*") if path.is_file()} == {"old.py", "a_step.py"}


# Python before 3.11 does not know columns of what is raised.
COLUMN = ":5" if sys.version_info >= (3, 11) else ""
FIRST_COLUMN = ":1" if sys.version_info >= (3, 11) else ""


class TestFailures:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("x = 1\ny = = 2", "src/bad_step.py:2:5: SyntaxError: invalid syntax\n  2 | y = = 2"),
            ("def f():\nreturn 1", "src/bad_step.py:2:1: IndentationError: expected an indented block"),
            ("x = 'a\0b'", "src/bad_step.py: "),
            ("\n\nraise TypeError('no')", f"src/bad_step.py:3{FIRST_COLUMN}: TypeError: no"),
            ("def f():\n    raise KeyError\nf()", f"src/bad_step.py:2{COLUMN}: KeyError"),
            ("import sys\nsys.exit(3)", f"src/bad_step.py:2{FIRST_COLUMN}: called sys.exit(3)"),
            (
                "class E(Exception):\n    def __str__(self): 1/0\nraise E",
                f"src/bad_step.py:3{FIRST_COLUMN}: E: an error that cannot be shown",
            ),
            ("raise ValueError('a\\nb')", f"src/bad_step.py:1{FIRST_COLUMN}: ValueError: a"),
            ("from src import helper", f"src/bad_step.py: ValueError: down (at src/helper.py:2{COLUMN})"),
            ("from src import broken", "src/bad_step.py: SyntaxError: invalid syntax (at src/broken.py:1:1)\n  1 | ="),
            (
                "import not_there",
                f"src/bad_step.py:1{FIRST_COLUMN}: ModuleNotFoundError: No module named 'not_there'. "
                "This installs it: pip install not_there. Add it to requirements.txt, too",
            ),
            (
                "import yaml.nodes",
                f"src/bad_step.py:1{FIRST_COLUMN}: ModuleNotFoundError: No module named 'yaml'. "
                "This installs it: pip install pyyaml. Add it to requirements.txt, too",
            ),
            (
                "from src import needs",
                "src/bad_step.py: ModuleNotFoundError: No module named 'not_there'. "
                "This installs it: pip install not_there. Add it to requirements.txt, too "
                f"(at src/needs.py:1{FIRST_COLUMN})",
            ),
            (
                "from src.helpers import nope",
                f"src/bad_step.py:1{FIRST_COLUMN}: ModuleNotFoundError: No module named 'src.helpers'",
            ),
            ("import json.nope", f"src/bad_step.py:1{FIRST_COLUMN}: ModuleNotFoundError: No module named 'json.nope'"),
            (
                "raise ModuleNotFoundError('no Tk', name='tkinter')",
                f"src/bad_step.py:1{FIRST_COLUMN}: ModuleNotFoundError: no Tk. "
                "It is part of Python, but not of the Python that runs here",
            ),
        ],
    )
    def test_names_the_place_and_what_would_help(
        self, load: Load, monkeypatch: pytest.MonkeyPatch, text: str, message: str
    ) -> None:
        monkeypatch.delitem(sys.modules, "tkinter", raising=False)
        project = load(
            {
                "src/bad_step.py": text,
                "src/good_step.py": api_step("good"),
                "src/helper.py": "def f():\n    raise ValueError('down')\nf()",
                "src/broken.py": "=",
                "src/needs.py": "import not_there",
            }
        )
        failure = only_failure(project)
        assert failure.file == "src/bad_step.py"
        if message.endswith(": "):
            assert failure.message.startswith(message)
        else:
            assert failure.message.split(" after ")[0] == message
        here = re.match(r"src/bad_step\.py:(\d+)(?::(\d+))?:", failure.message)
        assert failure.line == (int(here[1]) if here else None)
        assert failure.column == (int(here[2]) if here and here[2] else None)
        assert [step.entry["name"] for step in project.steps] == ["good"]

    def test_a_module_that_failed_is_tried_anew_by_the_next_step(self, load: Load) -> None:
        """So each step that needs it says so."""
        files = {"src/down.py": "raise ValueError('down')"}
        steps = {f"src/{name}_step.py": api_step(name, head="import down") for name in ("a", "b")}
        failures = load({**files, **steps}).failures
        assert [failure.message.partition(" (at")[0] for failure in failures] == [
            "src/a_step.py: ValueError: down",
            "src/b_step.py: ValueError: down",
        ]


class TestWhoMayFollowStreams:
    _STREAM = 'config = {"name": "%s", "schema": None, "baseConfig": {"storageType": "default"}%s}\n'

    def test_can_access_in_the_config_of_a_stream_beside_it_or_not_at_all(self, load: Load) -> None:
        loaded = load(
            {
                "src/a_stream.py": self._STREAM % ("chat", ', "canAccess": lambda subscription, auth: True'),
                "src/b_stream.py": self._STREAM % ("snake", ', "can_access": lambda subscription, auth: True'),
                "src/c_stream.py": self._STREAM % ("beside", "") + "async def can_access(subscription, auth): ...\n",
                "src/d_stream.py": self._STREAM % ("camel", "") + "def canAccess(subscription, auth): ...\n",
                "src/e_stream.py": self._STREAM % ("open", ""),
                "src/f_stream.py": self._STREAM % ("chat", ', "canAccess": print'),  # the name is taken
                "src/g_stream.py": self._STREAM % ("wrong", "") + "can_access = True\n",
            }
        )
        guarded = ["chat", "snake", "beside", "camel"]
        assert [stream["name"] for stream in loaded.streams if stream.get("canAccess")] == guarded
        assert [step.entry["id"] for step in loaded.access] == [f"=canAccess:{name}" for name in guarded]
        assert all(callable(step.handler) and step.handler is not print for step in loaded.access)
        assert [failure.message for failure in loaded.failures] == ['src/g_stream.py: "can_access" is no function']


def test_streams_are_described_and_of_one_name_the_first_file_keeps_it(load: Load) -> None:
    head = "from pydantic import BaseModel\n\nclass Message(BaseModel):\n    text: str\n\n"
    stream = 'config = {"name": "chat", "schema": %s, "baseConfig": {"storageType": "default"}, "canAccess": %s}\n'
    loaded = load(
        {
            "src/a_stream.py": head + stream % ("Message", "lambda subscription, auth: True"),
            "src/b.stream.py": stream % ("None", "None"),
            "src/none_stream.py": "name = 'chat'\n",
            "src/wrong_stream.py": "config = {'name': 'x', 'storage': 'default'}\n",
            "src/a_step.py": api_step("a"),
        }
    )
    schema = {
        "title": "Message",
        "type": "object",
        "properties": {"text": {"title": "Text", "type": "string"}},
        "required": ["text"],
    }
    assert loaded.streams == [
        {"name": "chat", "language": "python", "file": "src/a_stream.py", "schema": schema, "canAccess": True}
    ]
    assert loaded.warnings == [
        'src/b.stream.py: the stream name "chat" is taken by src/a_stream.py; this stream is left out'
    ]
    assert [failure.message for failure in loaded.failures] == [
        'src/none_stream.py: no variable named "config"',
        "src/wrong_stream.py: invalid config: baseConfig: Invalid input: expected object, received undefined; "
        'Unrecognized key: "storage"',
    ]
    assert [step.entry["name"] for step in loaded.steps] == ["a"]
