"""The workflows as they stand: their schema, linters, pins, permissions; and what the page says of calling them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.built import ROOT, tool

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PAGE = ROOT / "docs/pipelines.md"
ACTION = ROOT / "deploy/pipeline/action.yml"
SCRIPTS = sorted((ROOT / "deploy/pipeline").glob("*.sh"))
Json = dict[str, Any]


def loaded(path: Path) -> Json:
    """A workflow; YAML reads its "on" as true."""
    found: Json = yaml.safe_load(path.read_text())
    found["on"] = found.pop(True)
    return found


def linted(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a linter, with the others beside it (actionlint looks for shellcheck)."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    command = [tool(name), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env={"PATH": path}, check=False, capture_output=True, text=True)


def examples() -> list[str]:
    """The workflows that the page shows, with a commit in the place of COMMIT."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [block.replace("@COMMIT", "@" + "0123456789" * 4) for block in blocks]


def asked(workflow: str) -> dict[str, str]:
    """The sum of what the jobs of a workflow ask for: what its caller has to give."""
    total: dict[str, str] = {}
    for job in loaded(ROOT / ".github/workflows" / workflow)["jobs"].values():
        for scope, right in job.get("permissions", {}).items():
            total[scope] = max(total.get(scope, ""), right)  # "write" comes after "read"
    return total


def test_they_fit_their_schema() -> None:
    done = linted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_safe() -> None:
    done = linted("zizmor", "--offline", "--no-progress", "--persona", "regular", *WORKFLOWS, ACTION)
    assert done.returncode == 0, done.stdout + done.stderr


def test_their_own_action_fits_its_schema_and_is_brought_after_any_checkout() -> None:
    """A checkout empties the workspace; what is called before the programs are there would not be found."""
    done = linted("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)
    assert done.returncode == 0, done.stdout + done.stderr
    called = 0
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            kinds = [_kind(step) for step in job.get("steps", ())]
            if "calls" in kinds:
                called += 1
                assert kinds.count("brings") == 1, f"{path.name}: {name}"
                assert "checkout" not in kinds[kinds.index("brings") :], f"{path.name}: {name}"
                assert "calls" not in kinds[: kinds.index("brings")], f"{path.name}: {name}"
    assert called == 9


def _kind(step: Json) -> str:
    """What a step means for the pipeline's own programs."""
    uses = step.get("uses", "")
    if uses == "$/deploy/pipeline":
        return "brings"
    return "checkout" if uses.startswith("actions/checkout@") else "calls" if ".pult/" in step.get("run", "") else ""


def test_no_workflow_knows_a_person_of_pult() -> None:
    """What a pipeline says is signed and approves nothing: a person's token on GitHub could."""
    text = "".join(path.read_text() for path in WORKFLOWS)
    assert "PULT_TOKEN" not in text
    assert "/api/" not in text


def test_they_and_their_scripts_are_sound() -> None:
    """Expressions, contexts, needs, inputs of calls, and shellcheck over every ``run:``."""
    done = linted("actionlint", *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert SCRIPTS
    done = linted("shellcheck", *SCRIPTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_programs_that_the_workflows_call_are_there_and_may_be_run() -> None:
    called = {name for path in WORKFLOWS for name in re.findall(r"\.pult/([\w.]+)", path.read_text())}
    assert {"gate.py", "push.sh", "digest.py", "serves.py", "tell_pult.py", "follow.py", "outcome.py"} == called
    for name in called:
        assert os.access(ACTION.parent / name, os.X_OK), name


def test_what_the_linter_would_find(tmp_path: Path) -> None:
    """It sees a wrong expression and an unquoted word: silence of it means something."""
    bad = tmp_path / "bad.yml"
    job = {"runs-on": "ubuntu-24.04", "steps": [{"run": "echo $1 ${{ github.nothing }}\n"}]}
    bad.write_text(yaml.safe_dump({"on": "push", "jobs": {"one": job}}))
    done = linted("actionlint", bad)
    assert done.returncode == 1
    assert "nothing" in done.stdout
    assert "SC2086" in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_job_has_only_its_own_permissions_and_an_end(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        assert "uses" in job or job["timeout-minutes"] <= 360, name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    for line in path.read_text().splitlines():
        if "uses:" in line and "$/" not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_action_has_one_commit_everywhere() -> None:
    found = {
        line.strip().removeprefix("- ") for path in WORKFLOWS for line in path.read_text().splitlines() if "@" in line
    }
    pins = {line for line in found if line.startswith("uses:")}
    names = [line.partition("@")[0] for line in pins]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_script_has_an_expression_in_it(path: Path) -> None:
    """What others wrote (a branch's name, an input) reaches a shell as a variable alone."""
    for name, job in loaded(path)["jobs"].items():
        for step in job.get("steps", ()):
            assert "${{" not in step.get("run", ""), f"{name}: {step}"


@pytest.mark.parametrize("caller", ["ci.yml", "release.yml"])
def test_callers_give_what_the_jobs_ask_for_and_no_more(caller: str) -> None:
    job = loaded(ROOT / ".github/workflows" / caller)["jobs"]["pipeline"]
    assert job["uses"] == "$/.github/workflows/pipeline.yml"
    assert job["permissions"] == asked("pipeline.yml")


def test_the_page_shows_how_to_call_them(tmp_path: Path) -> None:
    shown = examples()
    paths = [tmp_path / f"example-{number}.yml" for number in range(len(shown))]
    for path, text in zip(paths, shown, strict=True):
        path.write_text(text)
    done = linted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *paths)
    assert done.returncode == 0, done.stdout + done.stderr
    done = linted("actionlint", *paths)
    assert done.returncode == 0, done.stdout + done.stderr
    called = [next(iter(loaded(path)["jobs"].values())) for path in paths]
    assert [job["uses"].split("/")[-1].partition("@")[0] for job in called] == ["pipeline.yml", "deploy.yml"]
    for job in called:
        name = job["uses"].split("/")[-1].partition("@")[0]
        inputs = loaded(ROOT / ".github/workflows" / name)["on"]["workflow_call"]["inputs"]
        assert job["permissions"] == asked(name)
        assert job["with"].keys() <= inputs.keys()
        assert {each for each, told in inputs.items() if told.get("required")} <= job["with"].keys()
    assert len(shown[0].splitlines()) <= 20, "the page promises that it is short"


def test_callers_let_the_environments_secrets_through(tmp_path: Path) -> None:
    """A called job gets the secrets of its environment only if its caller inherits (actions/runner issue 1490)."""
    release = loaded(ROOT / ".github/workflows/release.yml")["jobs"]["pipeline"]
    shown = []
    for number, text in enumerate(examples()):
        path = tmp_path / f"example-{number}.yml"
        path.write_text(text)
        shown += loaded(path)["jobs"].values()
    assert [job.get("secrets") for job in (release, *shown)] == ["inherit"] * 3


@pytest.mark.parametrize("caller", ["ci.yml", "release.yml"])
def test_the_tests_run_under_the_python_that_was_set_up(caller: str) -> None:
    """sudo's secure_path takes the place of PATH, whatever is preserved (sudoers(5)); env sets it afterwards."""
    assert loaded(ROOT / ".github/workflows" / caller)["jobs"]["pipeline"]["with"]["test"] == (
        'sudo env "PATH=$PATH" .ci/run'
    )


def test_a_rollback_by_hand_and_by_call_take_the_same_inputs() -> None:
    triggers = loaded(ROOT / ".github/workflows/rollback.yml")["on"]
    assert triggers["workflow_dispatch"]["inputs"].keys() == triggers["workflow_call"]["inputs"].keys()
