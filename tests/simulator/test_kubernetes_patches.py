"""The four patch types and the selectors, without a server."""

from typing import Any

import pytest

from bot.simulator.kubernetes import patches, selectors
from bot.simulator.kubernetes.errors import StatusError
from bot.simulator.kubernetes.wire import Json

POD: Json = {
    "spec": {"containers": [{"name": "api", "image": "a", "env": [{"name": "X", "value": "1"}]}, {"name": "log"}]}
}


def test_merge_patch_removes_on_null_and_replaces_lists() -> None:
    patched = patches.merge({"a": {"b": 1, "c": 2}, "l": [1, 2]}, {"a": {"b": None}, "l": [3]})
    assert patched == {"a": {"c": 2}, "l": [3]}


def test_strategic_merge_merges_known_lists_by_their_key() -> None:
    patched = patches.strategic(POD, {"spec": {"containers": [{"name": "api", "image": "b"}]}})
    assert patched["spec"]["containers"] == [
        {"name": "api", "image": "b", "env": [{"name": "X", "value": "1"}]},
        {"name": "log"},
    ]
    assert POD["spec"]["containers"][0]["image"] == "a"


def test_strategic_merge_deletes_and_replaces_by_directive() -> None:
    dropped = patches.strategic(POD, {"spec": {"containers": [{"name": "log", "$patch": "delete"}]}})
    assert [c["name"] for c in dropped["spec"]["containers"]] == ["api"]
    replaced = patches.strategic({"spec": {"a": 1, "b": 2}}, {"spec": {"$patch": "replace", "c": 3}})
    assert replaced == {"spec": {"c": 3}}


def test_strategic_merge_needs_the_merge_key() -> None:
    with pytest.raises(StatusError) as caught:
        patches.strategic(POD, {"spec": {"containers": [{"image": "b"}]}})
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/l/-", "value": 3}], {"l": [1, 2, 3], "m": {}}),
        ([{"op": "add", "path": "/m/a~1b", "value": 1}], {"l": [1, 2], "m": {"a/b": 1}}),
        ([{"op": "remove", "path": "/l/0"}], {"l": [2], "m": {}}),
        ([{"op": "replace", "path": "/l/1", "value": 9}], {"l": [1, 9], "m": {}}),
        ([{"op": "copy", "from": "/l/0", "path": "/m/x"}], {"l": [1, 2], "m": {"x": 1}}),
        ([{"op": "move", "from": "/l/0", "path": "/m/x"}], {"l": [2], "m": {"x": 1}}),
        ([{"op": "test", "path": "/l/0", "value": 1}], {"l": [1, 2], "m": {}}),
    ],
)
def test_json_patch(operations: list[Json], expected: Json) -> None:
    assert patches.json_patch({"l": [1, 2], "m": {}}, operations) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/l/0", "value": 2},
        {"op": "replace", "path": "/nothing", "value": 2},
        {"op": "remove", "path": "/l/7"},
        {"op": "add", "path": "/l/7", "value": 1},
        {"op": "fly", "path": "/l"},
        {"op": "add", "path": "l", "value": 1},
        {"op": "add", "path": "/l"},
    ],
)
def test_json_patch_that_does_not_fit_is_422(operation: Json) -> None:
    with pytest.raises(StatusError) as caught:
        patches.json_patch({"l": [1]}, [operation])
    assert caught.value.code == 422


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", "abc"),
        ("app=api", "a"),
        ("app==api", "a"),
        ("app!=api", "bc"),
        ("app in (api, web)", "ab"),
        ("app notin (api),tier=x", "b"),
        ("tier", "ab"),
        ("!tier", "c"),
    ],
)
def test_label_selectors(selector: str, found: str) -> None:
    labels = {"a": {"app": "api", "tier": "x"}, "b": {"app": "web", "tier": "x"}, "c": {}}
    test = selectors.labels(selector)
    assert "".join(name for name, have in labels.items() if test({"metadata": {"labels": have}})) == found


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        ("metadata.name=p", True),
        ("metadata.name!=p", False),
        ("status.phase=Running,metadata.namespace=n", True),
        ("spec.nodeName=", True),
        ("spec.unschedulable=true", True),
    ],
)
def test_field_selectors(selector: str, holds: bool) -> None:
    obj: dict[str, Any] = {"metadata": {"name": "p", "namespace": "n"}, "status": {"phase": "Running"}}
    obj["spec"] = {"unschedulable": True}
    assert selectors.fields(selector)(obj) is holds


@pytest.mark.parametrize("selector", ["spec.replicas=1", "metadata.name"])
def test_a_field_that_cannot_be_selected_is_refused(selector: str) -> None:
    with pytest.raises(StatusError) as caught:
        selectors.fields(selector)
    assert caught.value.code == 400


def test_label_selector_objects() -> None:
    obj = {"metadata": {"labels": {"app": "api"}}}
    assert selectors.matches({}, obj)
    assert selectors.matches({"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]}, obj)
    assert not selectors.matches({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}, obj)
    assert selectors.matches({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, obj)
    assert not selectors.matches({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, obj)
