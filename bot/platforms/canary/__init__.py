"""The canary's two ends: it is sent to the front door, and heard where it comes out."""
