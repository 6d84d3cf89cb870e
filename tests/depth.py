"""How far a property is looked into: a few examples by `make test`, many by `make test-all`."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., object])

DEEP = settings.get_current_profile_name() in ("deep", "nightly")
"""Whether the run is to look far: the hypothesis profile says so."""


def by_depth(few: T, many: T) -> T:
    """Return what a property takes in a run that looks far, or else in the fast one."""
    return many if DEEP else few


def examples(few: int, many: int) -> Callable[[Test], Test]:
    """Draw so many examples of a property on one store; it is a slow test where they are many."""
    draw = settings(
        max_examples=by_depth(few, many),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    return lambda test: pytest.mark.slow(draw(test)) if DEEP else draw(test)
