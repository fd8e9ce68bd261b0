"""Asking an address from outside, over HTTP."""
