"""Logic over ports: intake, router, delivery, operations."""
