"""Which proxies a test needs: `.ci/run` installs them."""

from helpers.serving.proxies import KINDS
from tests.support.fixtures import Require


def need(name: str, require: Require) -> None:
    """Skip a test of a proxy that is not here; with COURSE_REQUIRE=all, fail it."""
    require(KINDS[name].program, f"{name} is not installed")
