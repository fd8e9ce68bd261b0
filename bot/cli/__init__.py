"""The command line: each call is a small program of its own."""
