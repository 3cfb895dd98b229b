"""Which proxies a test needs: those that `.ci/run` installs."""

import pytest

from helpers.serving.proxies import KINDS
from tests.support.fixtures import Require

OPTIONAL = {"Varnish"}
"""It compiles its configuration; with the compiler, that is 52 MB to fetch. The others
are 27 MB together."""


def need(name: str, require: Require) -> None:
    """Skip a test of a proxy that is not here; with COURSE_REQUIRE=all, fail it."""
    missing = f"{name} is not installed"
    if name not in OPTIONAL:
        require(KINDS[name].program, missing)
    elif not KINDS[name].program:
        pytest.skip(missing)
