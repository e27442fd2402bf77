#!/usr/bin/env bash
# test_scripts.sh: what judges the tests is tested itself, on files written for it: fault_points.sh, fault_totals.sh, totals.sh.
# Prints one line per check in cmocka's words, so that totals count them.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# shellcheck source=tests/harness/checks.sh
. "$HERE/checks.sh"

# says STATUS TEXT SCRIPT FILE...: the script ends with this exit code and prints just this on stdout.
says() {
    local status=0 text
    text=$("$HERE/$3" "${@:4}" 2>/dev/null) || status=$?
    [[ $status == "$1" && $text == "$2" ]] || { echo "$3 ended with $status and said: $text" && return 1; }
}

# function_with LINE: a C file whose one function passes a message on, with this line beside the call, which is on line 3.
function_with() {
    printf '%s\n' 'static base_code pass_on(base_error *err)' '{' \
        '    base_code code = broker_publish(connection, &message, err);' "$1" '    return code;' '}' >"$WORK/pass_on.c"
}

a_bare_call_is_named() {
    local status=0 text
    function_with ''
    text=$("$HERE/fault_points.sh" "$WORK/pass_on.c") || status=$?
    [[ $status == 1 && $text == "$WORK/pass_on.c:3: broker_publish in pass_on(), which has 0 fault points: "* ]]
}

a_call_beside_a_fault_point_is_fine() {
    function_with '    code = code == BASE_OK ? BASE_FAULT("relay.published", err) : code;'
    says 0 '' fault_points.sh "$WORK/pass_on.c"
}

# The names of points are none: they are for the function that is called.
a_named_point_counts_and_a_name_does_not() {
    function_with '    code = code == BASE_OK ? BASE_FAULT_NAMED(sent, err) : code;'
    says 0 '' fault_points.sh "$WORK/pass_on.c" || return 1
    function_with '    pass_on(BASE_FAULT_NAME("relay.published"), err);'
    ! "$HERE/fault_points.sh" "$WORK/pass_on.c" >/dev/null
}

an_excused_call_is_fine() {
    function_with '    /* No fault point: nothing follows it. */'
    says 0 '' fault_points.sh "$WORK/pass_on.c"
}

# Another file's point, and one of another function, excuse nothing.
a_point_counts_for_its_own_function_only() {
    local status=0 text
    function_with '    code = BASE_FAULT("relay.published", err);'
    sed 's/pass_on/first/' "$WORK/pass_on.c" >"$WORK/two.c"
    function_with ''
    cat "$WORK/pass_on.c" >>"$WORK/two.c"
    text=$("$HERE/fault_points.sh" "$WORK/two.c") || status=$?
    [[ $status == 1 && $text == "$WORK/two.c:9: broker_publish in pass_on()"* && $text != *$'\n'* ]]
}

# totals_of VIOLATIONS: two logs of fault tests, with so many violations in the second.
totals_of() {
    printf '%s\n' 'Output:' 'TOTAL chaos_runs=1 kills=12 violations=0' 'TOTAL chaos_runs=1 kills=3 violations=0' >"$WORK/one.log"
    printf '%s\n' "TOTAL fault_runs=9 kills=1 violations=$1" 'the TOTAL kills=100 is no report' >"$WORK/other.log"
}

reports_of_two_logs_are_added() {
    totals_of 0
    says 0 '2 chaos runs, 16 kills, 9 fault runs, 0 violations' fault_totals.sh "$WORK/one.log" "$WORK/other.log"
}

violations_are_told_and_fail() {
    totals_of 2
    says 1 '2 chaos runs, 16 kills, 9 fault runs, 2 violations' fault_totals.sh "$WORK/one.log" "$WORK/other.log"
}

a_report_that_cannot_be_read_fails() {
    totals_of many
    says 1 '2 chaos runs, 16 kills, 9 fault runs, 0 violations' fault_totals.sh "$WORK/one.log" "$WORK/other.log"
}

no_report_is_no_line() {
    echo 'nothing of note' >"$WORK/one.log"
    says 0 '' fault_totals.sh "$WORK/one.log"
}

# program LOG VERDICT [LINE...]: what ctest writes about one program.
program() {
    printf '%s\n' 'Output:' '----------' "${@:3}" '<end of output>' 'Test time =   0.01 sec' '----------' "Test $2." >>"$WORK/$1"
}

good_programs() {
    rm -f "$WORK"/*.log
    program good.log Passed '[  PASSED  ] 3 test(s).'
    program good.log Passed 'no word of cmocka'
}

each_test_of_a_good_log_has_passed() {
    good_programs
    says 0 '4 passed, 0 failed' totals.sh "$WORK/good.log"
}

a_failed_log_is_failed() {
    good_programs
    program bad.log Failed '[  PASSED  ] 5 test(s).' '[  FAILED  ] 2 test(s), listed below:'
    says 1 '9 passed, 2 failed' totals.sh "$WORK/good.log" "$WORK/bad.log"
}

# It may have died after its last good report.
a_crashed_program_is_failed() {
    good_programs
    program bad.log Failed
    program bad.log Failed '[  PASSED  ] 5 test(s).'
    says 1 '9 passed, 2 failed' totals.sh "$WORK/good.log" "$WORK/bad.log"
}

a_missing_program_is_failed() {
    good_programs
    printf '%s\n' 'Unable to find executable: test_none' >"$WORK/bad.log"
    program bad.log Passed
    says 1 '4 passed, 1 failed' totals.sh "$WORK/good.log" "$WORK/bad.log"
}

nothing_run_is_no_success() {
    : >"$WORK/empty.log"
    says 1 '0 passed, 0 failed' totals.sh "$WORK/empty.log"
}

test_that a_call_without_a_fault_point_is_named_by_file_and_line a_bare_call_is_named
test_that a_call_beside_a_fault_point_is_fine a_call_beside_a_fault_point_is_fine
test_that a_fault_point_named_by_the_caller_counts_and_its_name_does_not a_named_point_counts_and_a_name_does_not
test_that a_call_that_is_excused_by_a_reason_is_fine an_excused_call_is_fine
test_that a_fault_point_counts_for_its_own_function_only a_point_counts_for_its_own_function_only
test_that reports_of_two_logs_are_added reports_of_two_logs_are_added
test_that violations_are_told_and_fail violations_are_told_and_fail
test_that a_report_that_cannot_be_read_fails a_report_that_cannot_be_read_fails
test_that no_report_is_no_line no_report_is_no_line
test_that each_test_of_a_good_log_has_passed each_test_of_a_good_log_has_passed
test_that a_failed_log_is_counted_as_failed a_failed_log_is_failed
test_that a_program_that_crashed_is_counted_as_failed a_crashed_program_is_failed
test_that a_program_that_is_missing_is_counted_as_failed a_missing_program_is_failed
test_that nothing_run_is_no_success nothing_run_is_no_success

end_of_tests
