#pragma once
/* Fault points: named places between two effects, at which a `faults` build can be made to die, fail or stand still.
 *
 * BASE_FAULT("generator.claimed", err) is BASE_OK, and no code at all, in every other build. In a faults build the variable
 * PROOFLINE_FAULT arms one point: <label>:exit, <label>:error or <label>:stall, with @<n> behind the label for its n-th
 * passage (default 1). A point acts once per process. Labels are "<service or lib>.<what has just happened>".
 *
 * A function that several steps share takes the names of its points from its callers: each passes BASE_FAULT_NAME("lane.resent"),
 * which names the point as BASE_FAULT does, and the function passes BASE_FAULT_NAMED(name, err). */
#include "base/error.h"

#define BASE_FAULT_VARIABLE "PROOFLINE_FAULT"

#ifdef PROOFLINE_FAULTS
#define BASE_FAULT_NAME(label)                                                                                         \
    ({                                                                                                                 \
        static const char *const base_fault_label __attribute__((section("proofline_faults"), used)) = label;          \
        base_fault_label;                                                                                              \
    })
#define BASE_FAULT_NAMED(name, err) base_fault_pass(name, err)
#define BASE_FAULT(label, err)      BASE_FAULT_NAMED(BASE_FAULT_NAME(label), err)

/* Returns BASE_UNAVAILABLE for `error`, kills the process by SIGKILL for `exit`; for `stall` stops all of it, its heartbeats too, until somebody
 * sends SIGCONT. stderr says "fault point <label> acts", and after a stall "fault point <label> goes on". Any thread. */
base_code base_fault_pass(const char *label, base_error *err);

/* Prints all labels of this program, sorted, a line each. */
void base_fault_list(void);
#else
#define BASE_FAULT_NAME(label)      NULL
#define BASE_FAULT_NAMED(name, err) ((void)(name), (void)(err), (base_code)BASE_OK)
#define BASE_FAULT(label, err)      ((void)(err), (base_code)BASE_OK)
#endif
