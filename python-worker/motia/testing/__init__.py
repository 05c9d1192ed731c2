"""The test kit for Python projects: fixtures for pytest (`-p motia.testing`), and a context for handlers on their own.

The fixtures are `motia_app`, `motia_session_app` and `motia_options`. Everything but them works without pytest.
"""

from importlib.util import find_spec

from .app import CapturedEvent, MotiaApp, Response, Wait, Watcher
from .context import MockContext, create_mock_context

if find_spec("pytest") is not None:
    from .fixtures import motia_app as motia_app
    from .fixtures import motia_options as motia_options
    from .fixtures import motia_session_app as motia_session_app

__all__ = [
    "CapturedEvent",
    "MockContext",
    "MotiaApp",
    "Response",
    "Wait",
    "Watcher",
    "create_mock_context",
]
