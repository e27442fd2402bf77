#!/usr/bin/env bash
# fuzz.sh BINARY [OPTION...]: runs build/…/fuzz_NAME over its seeds, with further options of libFuzzer. Beside the binary stay the inputs
# that reached something new (corpus/NAME), those that failed (failed/) and what libFuzzer said (NAME.log).
set -uo pipefail
binary=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(cd "$(dirname "$binary")" && pwd)
name=$(basename "$binary")
name=${name#fuzz_}
log=$folder/$name.log
mkdir -p "$folder/corpus/$name" "$folder/failed"

UBSAN_OPTIONS=print_stacktrace=1 "$binary" -artifact_prefix="$folder/failed/$name-" -rss_limit_mb=2048 -timeout=10 \
    -print_final_stats=1 "$@" "$folder/corpus/$name" "$here/seeds/$name" 2>"$log"
status=$?
if ((status == 0)); then
    grep DONE "$log"
    sed -n 's/^stat::number_of_executed_units: */TOTAL fuzz_targets=1 fuzz_inputs=/p' "$log"
    exit 0
fi
tail -n 60 "$log"
input=$(sed -n 's/^.*Test unit written to //p' "$log" | tail -n 1)
echo "fuzz/$name failed${input:+; its input is kept. To run it again: ./run fuzz $name $input}"
exit "$status"
