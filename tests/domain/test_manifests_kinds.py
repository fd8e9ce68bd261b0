"""Helm values, manifests and Flux's own objects: one digest changes, every other byte and value stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.manifests import image_digest, with_digest
from bot.domain.manifests_yaml import documents

API, WEB = "registry.example/dept/api", "registry.example/dept/web"
OLD, NEW, OTHER = (f"sha256:{letter * 64}" for letter in "abc")

VALUES = f"""# values of production
image:
  repository: {API}   # ours
  tag: "1.7.2"
  digest: "{OLD}"  # keep quotes
  pullPolicy: IfNotPresent
sidecars:
  - image: envoy:1.30@{OTHER}
extra: {{image: {{repository: {WEB}, digest: {OTHER}}}}}
"""
PARTS = f"""image:
  registry: registry.example
  repository: dept/api
  digest: {OLD}
"""
TAGGED = f"image:\n  repository: {API}\n  tag: 1.7.2@{OLD}\n"
NAMED = f"web:\n  proxyImage: {{name: {API}, digest: {OLD}}}\n"
BESIDE = f"api:\n  image: {API}\n  digest: {OLD}\n"
SCALAR = f"api:\n  image: '{API}@{OLD}' # pinned\nimages:\n- {WEB}@{OTHER}\n- {API}:1.7.2@{OLD}\n"
ONLY = f"initImages: [{API}@{OLD}, {WEB}:1]\n"
DEPLOYMENT = f"""apiVersion: v1
kind: Service
metadata:
  name: api
  annotations: {{image: "{API}@{OTHER}"}}
---
# the workload
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  template:
    spec:
      initContainers:
        - {{name: migrate, image: "{API}@{OLD}", args: [--image, "{API}:1"]}}
      containers:
        - name: api
          image: {API}@{OLD}
        - name: proxy
          image: {WEB}@{OTHER}
...
"""
CRON = f"""kind: CronJob
spec:
  jobTemplate: {{spec: {{template: {{spec: {{containers: [{{image: {API}@{OLD}}}]}}}}}}}}
"""
ROLLOUT = DEPLOYMENT.replace("Deployment", "Rollout").replace("\n", "\r\n")
HELMRELEASE = f"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: api, namespace: flux-system}}
spec:
  chart: {{spec: {{chart: api, version: 1.x}}}}
  values:
    replicas: 4
    image:
      repository: {API}
      digest: {OLD}
  postRenderers:
    - kustomize:
        images:
          - name: proxy
            newName: {WEB}
            digest: {OTHER}
"""
MIRROR = f"images:\n- name: {API}\n  newName: mirror.example/api\n  newTag: 1.7.2@{OLD}\n"
FLUX = f"""apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec:
  images:
  - name: api
    newName: {API}
    digest: {OLD}
"""
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}" + VALUES
FILES = {
    "values": VALUES, "parts": PARTS, "tagged": TAGGED, "named": NAMED, "beside": BESIDE, "only": ONLY,
    "deployment": DEPLOYMENT, "cron": CRON, "rollout": ROLLOUT, "helmrelease": HELMRELEASE, "flux": FLUX, "bom": BOM,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file(name: str) -> None:
    text = FILES[name]
    assert image_digest(text, API) == OLD
    changed = with_digest(text, API, NEW)
    assert changed == text.replace(OLD, NEW)
    assert list(yaml.safe_load_all(changed)) == list(yaml.safe_load_all(text.replace(OLD, NEW)))
    assert image_digest(changed, API) == NEW
    if WEB in text and name != "only":
        assert image_digest(text, WEB) == OTHER


def test_a_whole_reference_loses_the_tag_that_means_nothing() -> None:
    with pytest.raises(UserError, match="in several ways"):  # 1.7.2@… and …, which need not be the same to a reader
        image_digest(SCALAR.replace(OLD, OTHER, 1), API)
    changed = with_digest(SCALAR, API, NEW)
    assert changed == f"api:\n  image: '{API}@{NEW}' # pinned\nimages:\n- {WEB}@{OTHER}\n- {API}@{NEW}\n"


def test_a_mirror_stands_for_the_image() -> None:
    assert image_digest(MIRROR, API) == image_digest(MIRROR, "mirror.example/api") == OLD
    changed = with_digest(MIRROR, API, NEW)
    assert changed == f"images:\n- name: {API}\n  newName: mirror.example/api\n  digest: {NEW}\n"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (f"image: {API}:1.7.2\n", f"image: {API}@{NEW}\n"),
        (f"containers: [{{image: {API}}}]\n", f"containers: [{{image: {API}@{NEW}}}]\n"),
        (f"image:\n  repository: {API}\n  tag: 1.7.2\n  digest: ''\n", f"  tag: 1.7.2\n  digest: '{NEW}'\n"),
        (f"image:\n  repository: {API}\n  tag: 1.7.2\n  digest: ~\n", f"  digest: {NEW}\n"),
    ],
)
def test_a_tag_is_no_digest_yet(text: str, changed: str) -> None:
    assert image_digest(text, API) == ""
    new = with_digest(text, API, NEW)
    assert changed in new
    assert image_digest(new, API) == NEW


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (VALUES, "image.digest"),
        (VALUES, "image"),
        (f"{VALUES}other:\n  repository: {API}\n  digest: {OTHER}\n", "image.digest"),
        (f"pins:\n- {OTHER}\n- {OLD}\n", "pins.1"),
        (f"run: {API}@{OLD}\n", "run"),
        (HELMRELEASE, "image.digest"),
        (HELMRELEASE, "spec.values.image"),
        (f"spec: {{source: {{helm: {{valuesObject: {{pin: {OLD}}}}}}}}}", "pin"),
        (f"x: &x {{repository: {API}}}\nimage:\n  <<: *x\n  digest: {OLD}\n", "image.digest"),
    ],
)
def test_a_key_says_which_value_counts(text: str, key: str) -> None:
    assert image_digest(text, API, key) == OLD
    assert with_digest(text, API, NEW, key) == text.replace(OLD, NEW)


def test_a_key_that_is_not_there_yet_is_added_where_it_is_said_to_stand() -> None:
    text = f"image:\n    repository: {API}\n    tag: 1.7.2\n"
    with pytest.raises(UserError, match="names no digest"):
        with_digest(text, API, NEW)
    changed = with_digest(text, API, NEW, "image.digest")
    assert changed == f"image:\n    digest: {NEW}\n    repository: {API}\n    tag: 1.7.2\n"
    for key in ("picture.digest", "image.tag", "image.repository.digest"):
        with pytest.raises(UserError):
            with_digest(text, API, NEW, key)
    with pytest.raises(UserError, match="empty table"):
        with_digest("image: {}\n", API, NEW, "image.digest")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            f"a:\n  image: {API}@{OLD}\nb:\n  image: {API}@{OTHER}\n",
            "in several ways: sha256:aaaaaaaaaaaa, sha256:ccccc",
        ),
        (f"a:\n  image: {API}@{OLD}\nb:\n  image: {API}:1.7.2\n", "in several ways: 1.7.2, sha256:aaaaaaaaaaaa"),
        (f"d: &d {OLD}\nimage:\n  repository: {API}\n  digest: *d\n", "behind a YAML anchor"),
        (f"d: &d {OLD}\nimage: {{repository: {API}, digest: &e {OLD}}}\ne: *e\n", "behind a YAML anchor"),
        (f"x: &x\n  repository: {API}\n  digest: {OLD}\nimage: *x\n", "behind a YAML anchor"),
        (f"x: &x\n  repository: {API}\n  digest: {OLD}\nimage:\n  <<: *x\n", "behind a YAML anchor"),
        (f"image: {WEB}@{OLD}\n", "has no image"),
        (f"image: {API}-worker@{OLD}\n", "has no image"),
        (f"image: dept/api@{OLD}\n", "has no image"),
        (f"metadata: {{image: {API}@{OLD}}}\nstatus: {{images: [{API}@{OLD}]}}\n", "has no image"),
        (f"args: [{API}@{OLD}]\n", "has no image"),
        (f"images:\n- name: api\n  newName: fork/api\n  digest: {OLD}\n", "has no image"),
        ("a: b\n{{- if .Values.on }}\nimage: x\n", "no YAML that pult can read: line 3"),
        ("a: b\nimage: [\n", "no YAML that pult can read: line"),
        ("[" * 100_000, "no YAML that pult can read"),
        ("a: \x00", "no YAML that pult can read"),
        (f'image: "registry.example/dept/api\\x40{OLD}"\n', "in a way that pult can't change"),
    ],
)
def test_what_is_not_clear_is_said(text: str, why: str) -> None:
    for change in (lambda: image_digest(text, API), lambda: with_digest(text, API, NEW)):
        if "way that pult" in why and change.__code__.co_names[0] == "image_digest":
            continue
        with pytest.raises(UserError, match=why):
            change()


def test_an_anchor_that_nobody_uses_is_in_nobodys_way() -> None:
    text = f"image: &image\n  repository: {API}\n  digest: &digest '{OLD}'\n"
    assert with_digest(text, API, NEW) == text.replace(OLD, NEW)


def test_docker_hub_may_be_left_out() -> None:
    text = f"image: docker.io/library/redis@{OLD}\n"
    assert image_digest(text, "redis") == OLD
    assert image_digest(f"image: redis@{OLD}\n", "docker.io/library/redis") == OLD


def test_a_file_that_refers_to_itself_a_billion_times_is_read_once() -> None:
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else API}]" for n in range(40)]
    assert image_digest("\n".join([*lines, f"image: {API}@{OLD}"]), API) == OLD


# Any file: however it is quoted, indented and commented, only the digest differs afterwards.

SPACE = st.sampled_from(["", " ", "   "])
COMMENT = st.sampled_from(["", " # a comment", f" # {API}@{OTHER}", " # «ё» \N{GRINNING FACE}", "  "])
WORD = st.text("abcdefgh-", min_size=1, max_size=8).filter(lambda word: word.strip("-") == word)
QUOTE = st.sampled_from(["", "'", '"'])


@st.composite
def entry(draw: st.DrawFn, image: str, digest: str) -> list[str]:
    """The lines of one mapping that names *image*, its keys in any order, without their indentation."""
    quoted = lambda text: draw(QUOTE).join(["", text, ""])  # noqa: E731
    form = draw(st.integers(0, 3))
    name = {0: "name", 1: "repository"}.get(form)
    if name is None:
        lines = [f"image: {quoted(f'{image}@{digest}')}"]
    else:
        lines = [f"{name}:{draw(SPACE)} {quoted(image)}", f"digest: {quoted(digest)}"]
    lines += [] if name == "name" else [f"{word}: {draw(WORD)}x" for word in draw(st.sets(st.sampled_from("pqr")))]
    return ["images" if form == 0 else "containers", *draw(st.permutations(lines))]


@st.composite
def files(draw: st.DrawFn) -> str:
    """Several documents with the image in one place of one of them, in any shape, between other things."""
    rows = []
    spots = [(API, OLD), *[(draw(st.sampled_from([WEB, "envoy"])), OTHER) for _ in range(draw(st.integers(0, 3)))]]
    for image, digest in draw(st.permutations(spots)):
        kind, *lines = draw(entry(image, digest))
        rows += draw(st.lists(st.sampled_from(["", "# between", "---", f"# digest: {OTHER}"]), max_size=3))
        rows.append("---")
        depth, step = draw(st.integers(0, 3)), draw(st.integers(1, 4))
        rows += [f"{' ' * (level * step)}level{level}:{draw(COMMENT)}" for level in range(depth)]
        pad = " " * (depth * step)
        rows.append(f"{pad}{kind}:{draw(COMMENT)}")
        rows += [f"{pad}{'  - ' if n == 0 else '    '}{line}{draw(COMMENT)}" for n, line in enumerate(lines)]
    return draw(st.sampled_from(["\n", "\r\n"])).join(rows) + draw(st.sampled_from(["", "\n"]))


def swapped(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: swapped(value) for key, value in data.items()}
    if isinstance(data, list):
        return [swapped(value) for value in data]
    return data.replace(OLD, NEW) if isinstance(data, str) else data


@given(files())
@example("---\ncontainers:\n  - image: registry.example/dept/api@" + OLD)
def test_only_the_value_differs(text: str) -> None:
    assert image_digest(text, API) == OLD
    changed = with_digest(text, API, NEW)
    assert changed == text.replace(OLD, NEW)
    assert list(yaml.safe_load_all(changed)) == [swapped(each) for each in yaml.safe_load_all(text)]


@given(st.text("a:-{}[]&*!|>'\"#%@`, \n\t", max_size=40), st.sampled_from(["", "image", "a.digest"]))
def test_no_file_is_fatal(noise: str, key: str) -> None:
    for text in (noise, f"{noise}\nimage: {API}@{OLD}\n", f"image: {API}@{OLD}\n{noise}", f"images: [{noise}]"):
        try:
            changed = with_digest(text, API, NEW, key)
        except UserError:
            continue
        assert image_digest(changed, API, key) == NEW
        assert len(documents(changed)) == len(documents(text))
