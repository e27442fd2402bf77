#!/usr/bin/env bash
# Checks the sources: layout, static analysis, protobuf, shell and YAML. `run lint` builds with gcc and clang before.
# Runs every check even when one fails, and says at the end which ones did.
set -uo pipefail
cd "${ROOT:?}" || exit 1
JOBS=$(nproc)
FAILED=()

mapfile -t C_FILES < <(find libs services tests -name node_modules -prune -o -name '*.[ch]' -print | sort)
mapfile -t SHELL_FILES < <(
    echo run
    find .ci tests k8s -type f \( -name '*.sh' -o -path '.ci/run' \) 2>/dev/null | sort
)
mapfile -t YAML_FILES < <(find k8s proto -name '*.yaml' 2>/dev/null | sort)

# check NAME COMMAND...
check() {
    local name=$1 started=$SECONDS
    shift
    if "$@" >"build/lint-$name.log" 2>&1; then
        printf '%-14s ok      %4d s\n' "$name" $((SECONDS - started))
    else
        cat "build/lint-$name.log"
        printf '%-14s FAILED  %4d s\n' "$name" $((SECONDS - started))
        FAILED+=("$name")
    fi
}

format() {
    clang-format --dry-run -Werror "${C_FILES[@]}"
}

# Our own sources among what the clang preset compiles; generated ones lie under build/.
tidy() {
    local sources
    mapfile -t sources < <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' build/clang/compile_commands.json |
        grep -v "^$ROOT/build/" | sort -u)
    ((${#sources[@]} > 0)) || { echo "no sources found" && return 1; }
    # One file each: with several, clang 14 takes sound va_lists for uninitialised. clang-tidy tells on stderr only how many warnings it suppressed in system headers.
    printf '%s\0' "${sources[@]}" | xargs -0 -P "$JOBS" -n 1 clang-tidy -p build/clang --quiet 2>build/lint-tidy.err
}

# Not the tests: cppcheck does not know that cmocka's failures do not return. It knows neither the cleanup attribute
# (memleak) nor what a function in another file writes through a pointer (uninitvar); compilers and sanitizers do.
analyse() {
    mkdir -p build/cppcheck
    cppcheck --project=build/clang/compile_commands.json --file-filter="libs/*" --file-filter="services/*" \
        --file-filter="$ROOT/libs/*" --file-filter="$ROOT/services/*" \
        --cppcheck-build-dir=build/cppcheck --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=memleak --suppress=uninitvar --quiet -j "$JOBS"
}

protobuf() {
    local buf=build/npm/node_modules/.bin/buf
    [[ -x $buf ]] || npm install --loglevel=error --no-audit --no-fund --prefix build/npm @bufbuild/buf || return 1
    (cd proto && "$ROOT/$buf" lint)
}

shell() {
    shellcheck -x "${SHELL_FILES[@]}"
}

yaml() {
    yamllint --strict -d '{extends: default, rules: {line-length: {max: 120}, document-start: disable}}' "${YAML_FILES[@]}"
}

# What no tool above knows: calls that are never right here, and files that grew too long to be one idea.
conventions() {
    local bad=0 file lines
    if grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|atof|system|popen)\(' "${C_FILES[@]}"; then
        echo "banned calls: see above"
        bad=1
    fi
    for file in libs/*/src/*.c libs/*/include/*/*.h services/*/src/*.[ch]; do
        lines=$(wc -l <"$file")
        if ((lines > 500)); then
            echo "$file: $lines lines are over 500"
            bad=1
        fi
    done
    return "$bad"
}

# devnode is no part of Proofline's work.
fault_points() {
    tests/harness/fault_points.sh libs/stage/src/*.c services/{generator,publisher,proofctl}/src/*.c
}

mkdir -p build
check format format
check conventions conventions
check fault-points fault_points
check shell shell
if ((${#YAML_FILES[@]} > 0)); then
    check yaml yaml
fi
check protobuf protobuf
check cppcheck analyse
check clang-tidy tidy

if ((${#FAILED[@]} > 0)); then
    echo "lint failed: ${FAILED[*]}"
    exit 1
fi
echo "lint clean"
