"""Pult as a process beside a simulated department."""

from tests.pult_fixtures import department, make, pult, store_url

__all__ = ["department", "make", "pult", "store_url"]
