"""Commands: a request to a reply or a plan."""
