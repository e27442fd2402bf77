#pragma once
/* What it takes that a service passes a fault point: for most of them a little load, for some a history. */
#include "labels/plan.h"

enum { LABELS_OLD = 3 };

/* One service broken at one point. */
typedef struct labels_run {
    pipeline pipeline;
    const char *point;
    bool of_generator;              /* the broken one is the generator; else the publisher */
    base_sha256 old[LABELS_OLD];    /* submissions from before it started */
    size_t old_count, old_rejected; /* the first of them are to end rejected, the others complete */
    harness_process *armed;
} labels_run;

typedef struct labels_situation {
    const char *prefix;              /* of the points */
    void (*before)(labels_run *run); /* with neither service running, and leaving none; NULL: nothing */
    /* Once it has started and the submission `first`, unlike others, is not to be waited for; NULL: nothing. */
    void (*provoke)(labels_run *run, const base_sha256 *first);
    bool is_alone;    /* the other service starts after the point has acted: it would be quicker */
    bool ends;        /* the broken one ends in any case */
    size_t strangers; /* payments of the fee payer that nobody submitted anything for */
} labels_situation;

/* The situation for a point; static storage. */
const labels_situation *labels_situation_of(const char *point);
/* Ends a service orderly. */
void labels_stop(harness_process **service);
