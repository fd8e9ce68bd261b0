#!/usr/bin/env bash
# Pushes the very image that was built and scanned, with its SBOM and provenance, and sees that the registry has it under
# the same digest. Nothing is built again: what was not scanned is not pushed.
#   IMAGE=registry.example/dept/api VERSION=1.8.0 DIGEST=sha256:… push.sh image.tar
set -euo pipefail
archive=$1
pushed=$(mktemp)
skopeo copy --all --preserve-digests --retry-times 3 --digestfile "$pushed" "oci-archive:$archive" "docker://$IMAGE:$VERSION"
if [ "$(cat "$pushed")" != "$DIGEST" ]; then
    echo "built $DIGEST, pushed $(cat "$pushed")" >&2
    exit 1
fi
echo "$IMAGE@$DIGEST"
