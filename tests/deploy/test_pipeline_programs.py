"""The programs of the pipeline, each by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from handlers.webhooks.proofs import proofs
from tests.deploy.pipeline import PROGRAMS, ROOT, program, ran

TRIVY = ROOT / "tests/fixtures/trivy"
NEW, OLD = "sha256:" + "b" * 64, "sha256:" + "a" * 64
HEAD = "kind: Kustomization\nimages:\n"


# --- the scan's gate ---


def report(folder: Path, *findings: dict[str, str]) -> Path:
    path = folder / "trivy.json"
    path.write_text(json.dumps({"SchemaVersion": 2, "Results": [{"Vulnerabilities": list(findings)}, {}]}))
    return path


def finding(severity: str, fixed: str = "", name: str = "CVE-1") -> dict[str, str]:
    found = {"VulnerabilityID": name, "PkgName": "zlib", "Severity": severity}
    return found | ({"FixedVersion": fixed} if fixed else {})


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ((), 0),
        ((finding("CRITICAL"),), 0),
        ((finding("HIGH"), finding("CRITICAL")), 0),
        ((finding("MEDIUM", "1.3"),), 0),
        ((finding("HIGH", "1.3"),), 1),
        ((finding("LOW", "1"), finding("CRITICAL", "1.3")), 1),
    ],
)
def test_what_is_critical_or_high_and_has_a_fix_stops(
    tmp_path: Path, found: tuple[dict[str, str], ...], status: int
) -> None:
    summary = tmp_path / "summary.md"
    done = ran("gate.py", report(tmp_path, *found), GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == status, done.stdout
    assert ("fixed in 1.3" in done.stdout) is bool(status)
    assert summary.read_text().startswith("### Trivy")


def test_real_reports_of_trivy_are_read() -> None:
    assert ran("gate.py", TRIVY / "clean/body.json").returncode == 0
    done = ran("gate.py", TRIVY / "critical-and-high/body.json")
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{}]}]}', "null"]
)
def test_what_is_no_report_is_not_a_clean_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trivy.json"
    path.write_text(text)
    assert ran("gate.py", path).returncode != 0
    assert ran("gate.py", tmp_path / "missing.json").returncode == 2


# --- what pult is told ---


@pytest.mark.parametrize("case", ["clean", "critical-and-high"])
def test_pult_reads_the_same_from_the_slim_report_as_from_the_whole(case: str) -> None:
    whole = json.loads((TRIVY / case / "body.json").read_text())
    slim = program("tell_pult")._slim(whole)
    assert proofs({"trivy": slim}).scan == proofs({"trivy": whole}).scan
    assert len(json.dumps(slim)) <= len(json.dumps(whole))


@pytest.mark.parametrize(
    "text",
    [
        '<testsuites><testsuite tests="6" failures="1" errors="1" skipped="1"/></testsuites>',
        '<testsuite tests="6" failures="1" errors="1" skipped="1"/>',
        '<testsuites><testsuite tests="4" failures="1" errors="1"/><testsuite tests="2" skipped="1"/></testsuites>',
    ],
)
def test_tests_are_counted_from_a_junit_report(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(text)
    counts = program("tell_pult")._counts(path)
    assert counts == {"passed": 3, "failed": 2, "skipped": 1}
    assert proofs({"tests": counts}).results["tests"].good is False


@pytest.mark.parametrize(
    ("results", "status", "said"),
    [
        ({"build": "success", "verify": "success"}, "released", "Verified in production."),
        ({"build": "success", "scan": "failure", "test": "skipped"}, "failed", "The pipeline failed at scan."),
        ({"test": "success", "verify": "skipped"}, "", "It did not come to production."),
        ({"test": "cancelled", "push": "skipped"}, "", "Somebody or something cancelled test."),
        ({"scan": "failure", "test": "cancelled"}, "failed", "The pipeline failed at scan."),
    ],
)
def test_the_end_in_one_sentence(results: dict[str, str], status: str, said: str) -> None:
    jobs = {name: {"result": result, "outputs": {}} for name, result in results.items()}
    assert program("outcome").outcome(jobs) == (status, said)


def test_what_nobody_promoted_is_not_said_to_have_failed() -> None:
    jobs = {"verify": {"result": "failure", "outputs": {"verdict": "unpromoted"}}}
    assert program("outcome").outcome(jobs)[0] == ""
    jobs["verify"]["outputs"]["verdict"] = "bad"  # type: ignore[index]
    assert program("outcome").outcome(jobs)[0] == "failed"


# --- the digest's commit ---


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - name: r/api\n    newTag: 0.1.0\n", f"  - name: r/api\n    digest: {NEW}\n"),
        (f"  - name: r/api\n    digest: {OLD}\n", f"  - name: r/api\n    digest: {NEW}\n"),
        (f"- digest: {OLD}\n  name: r/api\n- name: r/b\n", f"- name: r/api\n  digest: {NEW}\n- name: r/b\n"),
        ("- name: r/api # ours\n- name: r/api-2\n", f"- name: r/api # ours\n  digest: {NEW}\n- name: r/api-2\n"),
        ('  - name: "r/api"\n    newName: x\n\n# end\npatches: []\n',
         f'  - name: "r/api"\n    newName: x\n    digest: {NEW}\n\n# end\npatches: []\n'),
    ],
)  # fmt: skip
def test_one_line_of_the_file_changes(before: str, after: str) -> None:
    edit = program("digest")
    assert edit.edited(HEAD + before, "r/api", NEW) == HEAD + after
    assert edit.edited(HEAD + after, "r/api", NEW) == HEAD + after
    assert edit.digest_in(HEAD + after, "r/api") == NEW


@pytest.mark.parametrize(
    "text", ["", HEAD, HEAD + "- name: r/api-2\n", HEAD + "- name: r/api\n- name: r/api\n", "patches:\n- name: r/api\n"]
)
def test_a_file_that_does_not_name_the_image_just_once_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="not once"):
        program("digest").edited(text, "r/api", NEW)


# --- addresses ---


@pytest.fixture
def address() -> Iterator[tuple[str, dict[str, Any]]]:
    """Answers everything with what it is told."""
    told: dict[str, Any] = {"status": 200, "body": b""}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(told["status"])
            self.end_headers()
            self.wfile.write(told["body"])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", told
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "exit_status"),
    [
        (200, b'build{version="1.8.0"} 1', 0),
        (200, b'build{version="1.8.01"} 1', 1),
        (503, b'build{version="1.8.0"} 1', 1),
    ],
)
def test_an_address_tells_the_version_or_does_not(
    address: tuple[str, dict[str, Any]], status: int, body: bytes, exit_status: int
) -> None:
    url, told = address
    told |= {"status": status, "body": body}
    done = ran("serves.py", url, "--says", 'build{version="{version}"}', "--version", "1.8.0")
    assert done.returncode == exit_status, done.stdout


def test_nobody_at_the_address_is_said() -> None:
    done = ran("serves.py", "http://127.0.0.1:9/", "--says", "x")
    assert (done.returncode, "refused" in done.stdout) == (1, True)


# --- the push ---


@pytest.mark.parametrize(("came", "status"), [("sha256:1", 0), ("sha256:2", 1), ("", 1)])
def test_what_the_registry_has_under_another_digest_ends_it(tmp_path: Path, came: str, status: int) -> None:
    skopeo = tmp_path / "skopeo"
    skopeo.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nprintf "{came}" > "$7"\n')
    skopeo.chmod(0o755)
    told = {"IMAGE": "r/api", "VERSION": "1", "DIGEST": "sha256:1", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([PROGRAMS / "push.sh", "image.tar"], env=told, check=False, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    said = (tmp_path / "said").read_text()
    assert said.startswith("copy --all --preserve-digests ")
    assert said.endswith("oci-archive:image.tar docker://r/api:1\n")


# --- GitHub's expressions, as the rehearsal reads them ---

KNOWN = {
    "inputs": {"by": "pult", "publish": True, "empty": ""},
    "needs": {"scan": {"result": "failure", "outputs": {"digest": "sha256:1"}}},
    "github": {"ref": "refs/tags/v1", "event": {}},
    "always": lambda: True,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.by", "pult"),
        ("inputs.by == 'hand' && 'rollback' || 'release'", "release"),
        ("inputs.by != 'hand'", True),
        ("always() && inputs.publish", True),
        ("inputs.publish && !github.event.pull_request.head.repo.fork", True),
        ("inputs.empty || inputs.by", "pult"),
        ("startsWith(github.ref, 'refs/tags/')", True),
        ("needs.scan.outputs.digest", "sha256:1"),
        ("needs.scan.outputs.missing", None),
        ("needs.scan.result != 'skipped' && (inputs.by == 'PULT')", True),
        ("'it''s'", "it's"),
    ],
)
def test_expressions_have_github_s_values(text: str, value: object) -> None:
    assert program("rehearsing.expressions").evaluate(text, KNOWN) == value


@pytest.mark.parametrize(
    "text", ["inputs.by ==", "matrix.x", "hashFiles('x')", "inputs.by ? 1 : 2", "(inputs.by", "", "inputs.by inputs.by"]
)
def test_an_expression_that_is_not_understood_is_refused(text: str) -> None:
    expressions = program("rehearsing.expressions")
    with pytest.raises(expressions.ExpressionError):
        expressions.evaluate(text, KNOWN)


@pytest.mark.parametrize(("status", "again"), [(429, True), (503, True), (400, False), (401, False)])
def test_what_may_pass_is_told_again_and_a_refusal_is_not(
    address: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, status: int, again: bool
) -> None:
    """The ingress before pult says 429 to whoever asks too often."""
    url, told = address
    told |= {"status": status, "body": b"no"}
    posted: list[bytes] = []
    module = program("tell_pult")
    post = module._post

    def noted(body: bytes) -> str:
        posted.append(body)
        return str(post(body))

    monkeypatch.setenv("PULT_URL", url)
    monkeypatch.setenv("PULT_RELEASE_SECRET", "s")
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    monkeypatch.setattr(module, "_post", noted)
    assert module.main(["api", "1.8.0", "ready"]) == 1
    assert (len(posted) > 1) is again
