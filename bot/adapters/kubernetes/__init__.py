"""Kubernetes: workloads of one cluster over its API."""
