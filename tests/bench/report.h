#pragma once
/* The results: a table for people, and one line of JSON for programs. */
#include "run.h"

void bench_report_table(const bench_result *results, size_t count);
/* {"runs":[…]}, the last line of stdout. */
void bench_report_json(const bench_result *results, size_t count);
