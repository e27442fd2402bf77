#pragma once
/* What tests and demos ask of the node beside GraphQL: blocks, money, faults, and a look inside. */
#include "base/bytes.h"
#include "devnode/faults.h"
#include "devnode/node.h"
#include "devnode/stats.h"

#define CONTROL_BLOCKS_MAX 1000 /* made by one request */

typedef struct control {
    node *node;
    stats *stats;
    faults *faults;
} control;

/* Answers a request for `path` (which begins with /control/). Returns the HTTP status; *ret is a new reference to the answer. */
unsigned control_answer(const control *c, const char *method, const char *path, base_bytes body, json_t **ret);
