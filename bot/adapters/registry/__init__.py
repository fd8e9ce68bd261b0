"""Image registries, over the OCI distribution API."""
