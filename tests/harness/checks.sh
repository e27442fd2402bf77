# shellcheck shell=bash
# For tests that are shell scripts: counts checks and prints one line for each in cmocka's words, so that totals count them.
PASSED=0
FAILED=0

# test_that NAME COMMAND...
test_that() {
    local name=$1
    shift
    if "$@"; then
        PASSED=$((PASSED + 1))
        echo "[       OK ] $name"
    else
        FAILED=$((FAILED + 1))
        echo "[  FAILED  ] $name"
    fi
}

# The last call of a script: its totals and its exit code.
end_of_tests() {
    echo "[  PASSED  ] $PASSED test(s)."
    if ((FAILED > 0)); then
        echo "[  FAILED  ] $FAILED test(s), listed below:"
        exit 1
    fi
}
