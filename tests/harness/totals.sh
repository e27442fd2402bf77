#!/usr/bin/env bash
# totals.sh LOG...: adds up the tests in logs of ctest and prints "N passed, M failed". Counts each test of a program that
# cmocka reports; a program that reports none, or crashes, counts as one. Fails when something failed or nothing ran.
set -euo pipefail

awk '
    function settle(good) {
        if (good && failed_here == 0) {
            passed += passed_here > 0 ? passed_here : 1
        } else {
            passed += passed_here
            failed += failed_here > 0 ? failed_here : 1
        }
        passed_here = failed_here = 0
    }
    # ctest reports a program that is not there and then, oddly, "Test Passed.".
    /^Unable to find executable/ { missing = 1 }
    /^Output:$/ { inside = 1; passed_here = failed_here = 0 }
    /^<end of output>$/ { inside = 0 }
    inside && match($0, /\[  PASSED  \] [0-9]+ test\(s\)\.$/) { split(substr($0, RSTART), word, " "); passed_here += word[4] }
    inside && match($0, /\[  FAILED  \] [0-9]+ test\(s\), listed below:$/) { split(substr($0, RSTART), word, " "); failed_here += word[4] }
    !inside && /^Test Passed\.$/ { settle(!missing); missing = 0 }
    !inside && /^Test Failed\.$/ { settle(0); missing = 0 }
    END {
        printf "%d passed, %d failed\n", passed, failed
        exit !(passed > 0 && failed == 0)
    }
' "$@"
