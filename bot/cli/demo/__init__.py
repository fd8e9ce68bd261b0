"""``pult demo``: a simulated department, pult against it, and a short story."""
