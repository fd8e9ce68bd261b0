"""What pult is allowed, asked of the API server itself: that creates nothing there."""

from __future__ import annotations

from bot.adapters.kubernetes.client import Api


async def may(api: Api, namespace: str, verb: str, resource: str, name: str = "") -> bool:
    """SelfSubjectAccessReview: whether pult may *verb* *resource* in *namespace*; empty, *name* means each.

    ``pods``, ``apps/deployments``; with a subresource ``/pods/log``, ``argoproj.io/rollouts/status``.
    """
    group, kind, subresource = ([*([] if "/" in resource else [""]), *resource.split("/"), ""])[:3]
    what = {"group": group, "resource": kind, "subresource": subresource}
    asked = {**what, "verb": verb, "namespace": namespace, "name": name}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = await api.call("AuthorizationV1Api", "create_self_subject_access_review", body=review)
    return answer.get("status", {}).get("allowed") is True
