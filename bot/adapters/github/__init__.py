"""GitHub: files, commits and releases over REST."""
