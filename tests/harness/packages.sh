# shellcheck shell=bash
# The Debian packages that Proofline needs, by what they are needed for, and their installation.
# A package that a machine may have from elsewhere is written PACKAGE:PROGRAM and counts as there when the program is.

# shellcheck disable=SC2034  # the lists are for whoever sources this file
BUILD_PACKAGES=(
    gcc:gcc libc6-dev cmake:cmake ninja-build:ninja pkg-config:pkg-config ccache:ccache
    protobuf-c-compiler:protoc-c libprotobuf-c-dev
    libnats-dev libpq-dev libsodium-dev libssl-dev libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libcmocka-dev
)
# shellcheck disable=SC2034
SERVER_PACKAGES=(nats-server:nats-server postgresql postgresql-client:psql curl:curl util-linux:setpriv)
# shellcheck disable=SC2034
TEST_PACKAGES=(kubernetes-client:kubectl)
# shellcheck disable=SC2034
CLANG_PACKAGES=(clang:clang libclang-rt-dev clang-tidy:clang-tidy clang-format:clang-format)
# shellcheck disable=SC2034
LINT_PACKAGES=(cppcheck:cppcheck shellcheck:shellcheck yamllint:yamllint npm:npm)

package_is_there() {
    local package=${1%%:*} program=${1#*:}
    if [[ $1 == *:* ]] && command -v "$program" >/dev/null; then
        return 0
    fi
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]]
}

# install_packages PACKAGE...: does nothing at all when everything is there.
install_packages() {
    local entry missing=() as_root=()
    for entry in "$@"; do
        package_is_there "$entry" || missing+=("${entry%%:*}")
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "Debian packages are missing, and there is no sudo to install them. As root:" >&2
            echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing ${missing[*]}" >&2
    mkdir -p "$ROOT/build"
    # Run level 1 keeps the packages from starting their servers: Proofline starts its own.
    if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$ROOT/build/packages.log" 2>&1; then
        tail -n 20 "$ROOT/build/packages.log" >&2
        echo "the packages could not be installed; see build/packages.log" >&2
        return 1
    fi
}
