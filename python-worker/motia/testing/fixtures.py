"""The fixtures of pytest: one app for a session, which each test finds empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .app import MotiaApp


@pytest.fixture(scope="session")
def motia_options() -> dict[str, Any]:
    """What `MotiaApp` is started with. Override it in `conftest.py`; `project` is pytest's root folder unless given."""
    return {}


@pytest.fixture(scope="session")
def motia_session_app(motia_options: dict[str, Any], pytestconfig: pytest.Config) -> Iterator[MotiaApp]:
    """The app of the session, as the tests before have left it."""
    with MotiaApp(**{"project": pytestconfig.rootpath, **motia_options}) as app:
        yield app


@pytest.fixture
def motia_app(motia_session_app: MotiaApp) -> Iterator[MotiaApp]:
    """The project, running on a real broker. Each test finds it without events, state, streams and log."""
    motia_session_app.reset()
    yield motia_session_app
