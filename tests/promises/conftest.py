"""Pult as a process beside a simulated department."""

from tests.pult_fixtures import department, fresh, make, pult, store_url

__all__ = ["department", "fresh", "make", "pult", "store_url"]
