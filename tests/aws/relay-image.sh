#!/usr/bin/env bash
# Makes the relay's image without a network, from a binary built here and this machine's C library:
#   tests/aws/relay-image.sh BINARY TAG
# DOCKER_HOST says which daemon gets it. The image has the shape of functions/relay/Dockerfile's, on another base.
set -euo pipefail

readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

main() {
    [ $# = 2 ] || { echo "usage: $0 BINARY TAG" >&2; exit 2; }
    root=$(mktemp -d)
    trap 'rm -r "$root"' EXIT
    fill "$1"
    tar --directory "$root" --owner 0 --group 0 --create . | docker import \
        --change 'ENV MALLOC_MMAP_THRESHOLD_=1048576' --change 'USER 65532:65532' \
        --change 'EXPOSE 8080' --change 'ENTRYPOINT ["/relay"]' - "$2"
}

fill() {
    local binary=$1 library
    chmod 755 "$root"
    install -D --mode 755 "$binary" "$root/relay"
    for library in $(libraries "$binary"); do
        install -D --mode 755 "$(realpath "$library")" "$root$library"
    done
    install -D --mode 644 "$CERTIFICATES" "$root$CERTIFICATES"
    mkdir --parents "$root/etc"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    echo 'nonroot:x:65532:65532::/:/none' >"$root/etc/passwd"
}

# The loader and the libraries, by the paths at which the loader looks for them; a static binary has none.
libraries() {
    ldd "$1" 2>/dev/null | grep --only-matching '/[^ ]*' || true
}

main "$@"
