#!/usr/bin/env bash
# The next version as a commit and an annotated tag, made from conventional commits (cliff.toml). Pushes nothing.
# Exit 0 and no change where there is nothing to release.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
cliff=${GIT_CLIFF:-.venv/bin/git-cliff}

last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)
next=$("$cliff" --bumped-version 2>/dev/null)
if [ -n "$last" ] && [ -z "$("$cliff" --unreleased --strip all 2>/dev/null | sed '/^## /d' | tr -d '[:space:]')" ]; then
    echo "nothing to release since $last"
    exit 0
fi
sed -i "0,/^version = \".*\"/s//version = \"${next#v}\"/" pyproject.toml
notes=$("$cliff" --unreleased --tag "$next" --strip header 2>/dev/null)
"$cliff" --tag "$next" --output CHANGELOG.md 2>/dev/null
git add pyproject.toml CHANGELOG.md
git commit --quiet --message "chore(release): $next"
git tag --annotate "$next" --cleanup=whitespace --message "$next" --message "$notes"
echo "$next"
