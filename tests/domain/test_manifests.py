"""One digest changes in a deployment file; every other byte stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.manifests import image_digest, repository, with_digest

API, WEB = "registry.example/dept/api", "registry.example/dept/web"


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


PLAIN = f"""apiVersion: kustomize.config.k8s.io/v1beta1
images:
  - name: {API}
    digest: {digest("a")}
"""
RICH = f"""# production; ask #ops before touching   \t
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

replicas:
- name: api
  count: 4
images:    # pinned by pult
  # digest: {digest("9")}

  - name: web   # the newest first
    newName: {WEB}
    digest: "{digest("b")}"  # keep quotes
# between the two
  -   name: '{API}'
      newTag: 1.7.2
      # digest: {digest("8")}
      digest:   {digest("a")}   # and blanks
patches:
  - name: {API}
    digest: {digest("c")}
"""
EDITED = f"""images:
- digest: {digest("a")}
  name: {API}
- digest: {digest("b")}
  name: web
  newName: {WEB}
kind: Kustomization
"""
CRLF = PLAIN.replace("\n", "\r\n")
BARE = PLAIN.rstrip("\n")
SHORT = PLAIN.replace(API, "api")
TWO = PLAIN + f"---\nimages:\n  - name: {WEB}\n    digest: {digest('d')}\n"


FILES = {"plain": PLAIN, "rich": RICH, "edited": EDITED, "crlf": CRLF, "bare": BARE, "short": SHORT, "two": TWO}


@pytest.mark.parametrize("name", FILES)
def test_one_digest_changes_and_nothing_else(name: str) -> None:
    text = FILES[name]
    assert image_digest(text, API) == digest("a")
    changed = with_digest(text, API, digest("e"))
    assert changed == text.replace(digest("a"), digest("e"))
    assert image_digest(changed, API) == digest("e")
    assert with_digest(changed, API, digest("a")) == text


@pytest.mark.parametrize("text", [RICH, EDITED], ids=["rich", "edited"])
def test_the_other_image_of_the_file(text: str) -> None:
    assert image_digest(text, WEB) == digest("b")
    assert with_digest(text, WEB, digest("e")) == text.replace(digest("b"), digest("e"))


def test_the_whole_name_goes_before_its_last_part() -> None:
    text = f"images:\n- name: api\n  digest: {digest('1')}\n- name: {API}\n  digest: {digest('2')}\n"
    assert image_digest(text, API) == digest("2")
    assert image_digest(text, "elsewhere.example/api") == digest("1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kind: Kustomization\n",
        "images: []\n",
        "images:\n",
        PLAIN.replace("images:", "other:"),
        PLAIN.replace(API, API + "-worker"),
        PLAIN.replace(API, "prefix-api"),
        PLAIN.replace("  - name", "  # - name"),
    ],
)
def test_an_image_that_is_not_there(text: str) -> None:
    for change in (lambda: image_digest(text, API), lambda: with_digest(text, API, digest("e"))):
        with pytest.raises(UserError, match="has no image"):
            change()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (PLAIN.replace(f"digest: {digest('a')}", 'newTag: "1.7.2" # by hand'), 'digest: "NEW" # by hand'),
        (EDITED.replace(f"- digest: {digest('a')}\n ", "-"), f"- digest: NEW\n  name: {API}\n"),
        (CRLF.replace(f"    digest: {digest('a')}\r\n", ""), f"  - digest: NEW\r\n    name: {API}\r\n"),
        (f"images: [{{name: {API}, newTag: x}}]", f"images: [{{name: {API}, digest: NEW}}]"),
        (f"images: [{{name: {API}}}]", f"images: [{{digest: NEW, name: {API}}}]"),
        (f"images:\n- name: {API}\n  digest: # none yet\n", "  digest: NEW # none yet\n"),
        (f"images:\n- name: {API}\n  digest: ''\n  newTag: x\n", "  digest: 'NEW'\n  newTag: x\n"),
    ],
)
def test_a_digest_takes_the_place_of_a_tag_or_of_nothing(text: str, changed: str) -> None:
    assert image_digest(text, API) == ""
    new = with_digest(text, API, digest("e"))
    assert changed.replace("NEW", digest("e")) in new
    assert image_digest(new, API) == digest("e")


def test_what_is_no_digest_is_not_taken_for_one() -> None:
    text = PLAIN.replace("a" * 64, "a" * 63)
    for change in (lambda: image_digest(text, API), lambda: with_digest(text, API, digest("e"))):
        with pytest.raises(UserError, match="names no digest"):
            change()


@given(st.text(), st.text(min_size=1))
def test_no_file_is_fatal(text: str, image: str) -> None:
    for file in (text, f"images:\n{text}", f"images:\n- name: {text}\n  digest: {digest('a')}\n"):
        try:
            assert image_digest(with_digest(file, image, digest("e")), image) == digest("e")
        except UserError:
            continue


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (API, API),
        (f"{API}:1.8.0", API),
        (f"{API}@{digest('a')}", API),
        (f"{API}:1.8.0@{digest('a')}", API),
        ("localhost:5000/api", "localhost:5000/api"),
        ("localhost:5000/api:1.8.0", "localhost:5000/api"),
        ("api:1", "api"),
        ("api", "api"),
        ("", ""),
    ],
)
def test_repository(image: str, name: str) -> None:
    assert repository(image) == name
