"""What stands in for other people's actions and programs in a rehearsal: by name, and nothing else is let through.

Each leaves what the real one would leave for the steps after it. The image is an OCI layout whose one manifest is the
text ``service:version``: the simulated registry knows the department's images under the digests of just these.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from rehearsing.runner import Action, Step, StepError

FIXED: Final = {
    "VulnerabilityID": "CVE-2026-0001",
    "PkgName": "libssl3",
    "Severity": "CRITICAL",
    "FixedVersion": "3.0.18",
}
UNFIXED: Final = {"VulnerabilityID": "CVE-2026-0002", "PkgName": "libc6", "Severity": "HIGH"}
PROGRAMS: Final = {
    "skopeo": """
import json, pathlib, sys, tarfile
given = sys.argv[1:]
archive = next(each for each in given if each.startswith("oci-archive:")).removeprefix("oci-archive:")
with tarfile.open(archive) as image:
    index = json.load(image.extractfile("index.json"))
pathlib.Path(given[given.index("--digestfile") + 1]).write_text(index["manifests"][0]["digest"])
""",
    "trivy": """
import json, pathlib, sys
given = sys.argv[1:]
report = json.loads(pathlib.Path(given[-1]).read_text())
found = [one["VulnerabilityID"] for result in report["Results"] for one in result["Vulnerabilities"]]
results = [{"ruleId": each, "message": {"text": each}} for each in found]
sarif = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Trivy"}}, "results": results}]}
pathlib.Path(given[given.index("--output") + 1]).write_text(json.dumps(sarif))
""",
    "cosign": "",
    "gh": "",
}
"""Programs of the runner that are not here, in Python: what of theirs is read afterwards. The others do nothing."""


def programs(folder: Path) -> None:
    """Write PROGRAMS into *folder*, for PATH."""
    folder.mkdir(parents=True)
    for name, text in PROGRAMS.items():
        (folder / name).write_text(f"#!/usr/bin/env python3\n{text}")
        (folder / name).chmod(0o755)


def actions(artifacts: Path, sources: Path, *, fixable: bool) -> Mapping[str, Action]:
    """By the action's name. *sources*: the service's checkout; *fixable*: the scan finds what has a fix."""
    found = [UNFIXED, FIXED] if fixable else [UNFIXED]
    return {
        "actions/checkout": lambda step: _checkout(step, sources),
        "actions/setup-python": _nothing,
        "actions/upload-artifact": lambda step: _upload(step, artifacts),
        "actions/download-artifact": lambda step: _download(step, artifacts),
        "docker/setup-buildx-action": _nothing,
        "docker/build-push-action": lambda step: _build(step, sources),
        "docker/login-action": _nothing,
        "aquasecurity/trivy-action": lambda step: _scan(step, found),
        "github/codeql-action/upload-sarif": lambda step: _read(step, "sarif_file"),
        "sigstore/cosign-installer": _nothing,
        "actions/attest-build-provenance": _nothing,
    }


def _nothing(_: Step) -> Mapping[str, str]:
    """Sets up, logs in or attests: nothing here looks at it again."""
    return {}


def _checkout(step: Step, sources: Path) -> Mapping[str, str]:
    """The service's commit. Like the real one it takes away what was there before."""
    shutil.rmtree(step.folder)
    shutil.copytree(sources, step.folder)
    return {}


def _upload(step: Step, artifacts: Path) -> Mapping[str, str]:
    (artifacts / step.inputs["name"]).mkdir(parents=True)
    shutil.copy(_there(step, "path"), artifacts / step.inputs["name"])
    return {}


def _download(step: Step, artifacts: Path) -> Mapping[str, str]:
    """The named one, or all of them into one folder."""
    name = step.inputs.get("name", "")
    if name and not (artifacts / name).is_dir():
        raise StepError(f"no artifact {name}")
    for folder in [artifacts / name] if name else artifacts.iterdir():
        shutil.copytree(folder, step.folder, dirs_exist_ok=True)
    return {}


def _build(step: Step, sources: Path) -> Mapping[str, str]:
    path = step.inputs["outputs"].partition("dest=")[2]
    content = (sources / "image").read_bytes()
    digest = sha256(content).hexdigest()
    index = {"schemaVersion": 2, "manifests": [{"digest": f"sha256:{digest}", "size": len(content)}]}
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    with tarfile.open(step.folder / path, "w") as archive:
        for name, data in {**files, f"blobs/sha256/{digest}": content}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))
    return {"digest": f"sha256:{digest}"}


def _scan(step: Step, found: list[dict[str, str]]) -> Mapping[str, str]:
    image = _there(step, "input")
    if not (image / "index.json").is_file():
        raise StepError(f"{image} is no OCI layout")
    report: dict[str, Any] = {"SchemaVersion": 2, "Results": [{"Target": "debian", "Vulnerabilities": found}]}
    (step.folder / step.inputs["output"]).write_text(json.dumps(report))
    return {}


def _read(step: Step, name: str) -> Mapping[str, str]:
    json.loads(_there(step, name).read_text())
    return {}


def _there(step: Step, name: str) -> Path:
    """What an input names. StepError: it is not there."""
    path = step.folder / step.inputs[name]
    if not path.exists():
        raise StepError(f"{step.inputs[name]} is not there")
    return path
