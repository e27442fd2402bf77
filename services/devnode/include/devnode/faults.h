#pragma once
/* The faults that a test asked for, and which of them strikes a request. Thread-safe. */
#include "base/error.h"
#include "base/own.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define FAULTS_MAX          16   /* set at the same time */
#define FAULTS_TEXT_MAX     1024 /* bytes of an error's text with its terminator */
#define FAULTS_DELAY_MAX_MS 600000
#define FAULTS_BLOCKS_MAX   100000

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_REFUSE,     /* the connection is closed, nothing is done */
    FAULT_HTTP_503,   /* nothing is done */
    FAULT_HTTP_429,   /* nothing is done */
    FAULT_DROP_REPLY, /* all is done, and the connection closed without a reply */
    FAULT_DELAY,      /* the request waits before it is read */
    FAULT_ERROR,      /* HTTP 200 with a GraphQL error of this text; nothing is done */
    FAULT_LATE_ERROR, /* the same, and all is done */
    FAULT_LAG, /* answered as by a node that lacks the newest blocks and the pool: there may be several behind one address */
} fault_kind;

/* What kind of request one is. */
typedef enum fault_scope {
    FAULTS_ON_OTHER,
    FAULTS_ON_SEND,
    FAULTS_ON_LOOKUP, /* asks for pooled payments */
} fault_scope;

/* What strikes one request: first the delay, then the kind, if it is not FAULT_NONE. */
typedef struct fault_strike {
    int64_t delay_ms;
    fault_kind kind;
    int64_t blocks;             /* FAULT_LAG: how many are lacking */
    char text[FAULTS_TEXT_MAX]; /* empty: none was given */
} fault_strike;

typedef struct faults faults;

/* NULL when memory is short. */
faults *faults_new(void);
void faults_free(faults *f);
BASE_CLEANUP_POINTER(faults, faults_free);

/* {"kind", "text", "delay_ms", "blocks", "next": n | "probability": 0..1, "on": "send" | "lookup" | "all"}: for the next n requests, by chance, or
 * until cleared. BASE_INVALID names what is wrong, BASE_LIMIT after FAULTS_MAX. */
BASE_MUST_CHECK base_code faults_add(faults *f, const json_t *wanted, base_error *err);
void faults_clear(faults *f);
/* Decides for one request, and counts it. Delays add up; of the others the first that was set strikes. */
fault_strike faults_draw(faults *f, fault_scope scope);
/* A new reference to the list of what is set. */
json_t *faults_list(faults *f);
