"""What any pipeline tells pult of a release, by the one file it needs for that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.department import Department
from tests.pult_process import Pult

TELL = Path(__file__).parents[2] / "deploy/pipeline/tell_pult.py"
DIGEST = "sha256:" + "5a" * 32


async def test_pult_hears_of_its_own_release(pult: Pult, department: Department, tmp_path: Path) -> None:
    report = {"Results": [{"Vulnerabilities": [{"Severity": "HIGH", "VulnerabilityID": "CVE-1", "FixedVersion": "2"}]}]}
    (tmp_path / "trivy.json").write_text(json.dumps(report))
    arguments = (
        "api", "9.9.9", "scanned", "--image", "registry.digitalocean.com/dept/api", "--digest", DIGEST,
        "--trivy", str(tmp_path / "trivy.json"), "--tests", "passed",
    )  # fmt: skip
    environment = {
        **os.environ,
        "PULT_URL": f"http://127.0.0.1:{pult.port}",
        "PULT_RELEASE_SECRET": "sim-release-secret",
    }
    done = subprocess.run(
        [sys.executable, TELL, *arguments], env=environment, check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout)["status"] == "accepted"
    card = await department.slack_shows("api 9.9.9", "C0OPS")
    assert "0 critical, 1 high, 1 of them with a fix" in str(card)


async def test_a_wrong_secret_is_said_at_once(pult: Pult) -> None:
    environment = {**os.environ, "PULT_URL": f"http://127.0.0.1:{pult.port}", "PULT_RELEASE_SECRET": "wrong"}
    command = [sys.executable, TELL, "api", "9.9.9", "built"]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pult refuses: 401" in done.stderr
