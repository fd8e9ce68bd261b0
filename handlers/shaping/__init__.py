"""What right-sizing and posture share: deployment files from git, and a pull request that changes them."""
