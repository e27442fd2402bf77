#!/usr/bin/env bash
# fuzz.sh BINARY [OPTION...]: runs build/…/fuzz_NAME over its corpus and its seeds, with further options of libFuzzer. The corpus that it
# finds and the inputs that fail stay beside the binary.
set -uo pipefail
binary=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(dirname "$binary")
name=$(basename "$binary")
name=${name#fuzz_}
mkdir -p "$folder/corpus/$name" "$folder/failed"

"$binary" -artifact_prefix="$folder/failed/$name-" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 "$@" \
    "$folder/corpus/$name" "$here/seeds/$name" 2>"$folder/$name.log"
status=$?
if ((status == 0)); then
    grep -E '^(Done|stat::(number_of_executed_units|peak_rss_mb))|DONE' "$folder/$name.log"
    exit 0
fi
tail -n 60 "$folder/$name.log"
input=$(sed -n 's/^.*Test unit written to //p' "$folder/$name.log" | tail -n 1)
echo "fuzz/$name failed${input:+ with the input $input}; to run it again:"
echo "  ./run fuzz $name ${input#"$PWD/"}"
exit "$status"
