"""The types of what tests/conftest.py gives to tests."""

from collections.abc import Callable
from typing import Any

Require = Callable[[object, str], None]
Taught = Callable[[str], dict[str, Any]]
