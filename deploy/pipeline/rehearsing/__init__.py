"""What ``rehearse.py`` is made of: workflows as they stand in .github/workflows, run on this machine."""
