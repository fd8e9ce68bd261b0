"""What tests of several folders share."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import postgres_server, postgres_url
from tests.postgres_standby import standby_pair

__all__ = ["postgres_server", "postgres_url", "standby_pair"]


# CI tries the same examples each time, so that a red run can be repeated; a laptop explores.
settings.register_profile(
    "pult", deadline=None, max_examples=40, derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
settings.load_profile("pult")


SLOW_FOLDERS = {"e2e", "promises"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres: needs a real PostgreSQL server")
    config.addinivalue_line("markers", "alone: asks for an answer in pult's own time, which others beside it may take")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among workers the long ones come first, so that none begins one when the others have nothing left to do."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: SLOW_FOLDERS.isdisjoint(item.path.parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: half as many again as there are cores. One run keeps half a core busy and waits else; more
    at once would leave less than the answers' own time limits ask for.
    """
    return max(2, len(os.sched_getaffinity(0)) * 3 // 2)
