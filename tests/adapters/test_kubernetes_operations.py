"""Operations are told from their names as the generated client, which pult does without, has them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
from kubernetes.aio import client

from bot.adapters.kubernetes.operations import Operation, operation, parameter

GROUPS = (
    "CoreV1Api", "AppsV1Api", "AutoscalingV2Api", "AuthorizationV1Api", "BatchV1Api", "EventsV1Api", "NetworkingV1Api",
    "PolicyV1Api", "RbacAuthorizationV1Api", "StorageV1Api", "CustomObjectsApi",
)  # fmt: skip
"""Those that pult asks, and some that it may come to ask."""
UNKNOWN = re.compile(
    r"connect_|watch_|get_api_resources|\w+_collection_|\w+_component_status|\w+_pod_binding"
    r"|\w*_custom_object_for_all_namespaces"
)
"""Proxies and shells, what is deprecated or has a second name, deletion wholesale, and what a scheduler does."""
UNSAFE = {"insecure_skip_tls_verify_backend"}
"""An option that nobody here gives."""
PARAMETER = re.compile(r"_query_params\.append\(\('(\w+)', (\w+)\)\)")


def generated() -> Iterator[tuple[str, str]]:
    for group in GROUPS:
        for name in dir(getattr(client, group)):
            found = re.fullmatch(r"_(\w+)_serialize", name)
            if found and not UNKNOWN.match(found[1]):
                yield group, found[1]


def spelled(group: str, method: str) -> tuple[str, Operation]:
    """The generated client's source for *method*, and the operation it makes."""
    api = getattr(client, group)
    source = inspect.getsource(getattr(api, f"_{method}_serialize"))
    [path], [verb] = re.findall(r"resource_path='([^']+)'", source), re.findall(r"method='([A-Z]+)'", source)
    placed = [name for name in inspect.signature(getattr(api, method)).parameters if f"{{{name}}}" in path]
    return source, Operation(verb, path, tuple(placed))


def test_every_operation_lies_where_the_generated_client_finds_it() -> None:
    compared = 0
    for group, method in generated():
        assert operation(group, method) == spelled(group, method)[1], f"{group}.{method}"
        compared += 1
    assert compared > 300


def test_every_option_is_asked_for_as_the_generated_client_does() -> None:
    seen = set[str]()
    for group, method in generated():
        for name, option in PARAMETER.findall(spelled(group, method)[0]):
            seen.add(option)
            assert option in UNSAFE or parameter(option) == name, option
    assert {"_continue", "label_selector", "allow_watch_bookmarks", "since_seconds", "dry_run"} <= seen


def test_the_version_is_asked_for() -> None:
    assert operation("VersionApi", "get_code") == spelled("VersionApi", "get_code")[1]


@pytest.mark.parametrize(
    ("group", "method"),
    [("CoreV1Api", "connect_get_namespaced_pod_exec"), ("CoreV1Api", "delete_collection_namespaced_pod"),
     ("CoreV2", "list_namespaced_pod"), ("CustomObjectsApi", "list_pod"), ("VersionApi", "list_pod"),
     ("CoreV1Api", "read_component_status")],
)  # fmt: skip
def test_what_is_not_known_is_refused(group: str, method: str) -> None:
    with pytest.raises(LookupError, match=method):
        operation(group, method)
