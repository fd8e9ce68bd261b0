"""Costs of the simulated department, over a running pult."""

from __future__ import annotations

import re

import pytest

from tests.pult_process import Pult


@pytest.mark.alone
async def test_what_the_department_costs(pult: Pult) -> None:
    """Six machines at 48 a month, two databases, load balancers and a volume; one volume has no price yet."""
    answer = await pult.ask("anna", "cost by region")
    assert answer["ok"], answer
    text = answer["text"]
    assert "All costs: at least $" in text
    assert "Volume pvc-scratch has no known price." in text
    month = re.search(r"At the last week's pace +\$([\d,]+) a month", text)
    assert month
    assert int(month[1].replace(",", "")) == 6 * 48 + 2 * 122 + 2 * 12 + 10
    assert "DigitalOcean's bill so far" in text
    assert "doctl kubernetes cluster node-pool update dept-" in text


async def test_a_service_and_its_database(pult: Pult) -> None:
    answer = await pult.ask("chen", "стоимость api по окружению 7d")
    assert answer["ok"], answer
    assert re.search(r"^production +\$", answer["text"], re.MULTILINE)
    assert re.search(r"^staging +\$", answer["text"], re.MULTILINE)


async def test_the_doctor_says_what_has_no_price(pult: Pult) -> None:
    _, said, _ = await pult.run("check")
    lines = [line for line in said.splitlines() if "  cost: " in line]
    assert len(lines) == 1, said
    assert lines[0].startswith("warn  cost: Volume pvc-scratch has no known price.")
