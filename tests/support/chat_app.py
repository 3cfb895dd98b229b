"""The app that readers take along, loaded from its folder as `uvicorn app:app` does."""

import importlib.util
import sys
from typing import Any

import pytest

from tools.notebook import ROOT

FOLDER = ROOT / "app"


@pytest.fixture
def chat_app(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module, fresh: its `app`, its `model`, its limits."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-needed")
    monkeypatch.syspath_prepend(FOLDER)  # for what it imports
    spec = importlib.util.spec_from_file_location("chat_app", FOLDER / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Under its own name, as types are looked up there; `app` would stay for others.
    monkeypatch.setitem(sys.modules, "chat_app", module)
    spec.loader.exec_module(module)
    return module
