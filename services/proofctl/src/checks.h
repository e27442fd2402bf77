#pragma once
/* A list of named checks with their answers, for people and for programs. */
#include "output.h"

#define CTL_CHECKS_MAX       8
#define CTL_CHECK_DETAIL_MAX 320 /* bytes with terminator; cut when longer */

typedef struct ctl_check {
    const char *name; /* stable, for programs; static storage */
    bool is_passed;
    char detail[CTL_CHECK_DETAIL_MAX];
} ctl_check;

/* Zero is an empty list. */
typedef struct ctl_checks {
    ctl_check items[CTL_CHECKS_MAX];
    size_t count;
} ctl_checks;

void ctl_checks_add(ctl_checks *checks, const char *name, bool is_passed, const char *format, ...) BASE_PRINTF(4, 5);
/* True when there is at least one and all have passed. */
bool ctl_checks_passed(const ctl_checks *checks);
void ctl_checks_print(const ctl_checks *checks, FILE *out);
/* An array; the caller owns it. */
json_t *ctl_checks_json(const ctl_checks *checks);
