#pragma once
/* A development Mina node with one funded account, as a child process. */
#include "harness/process.h"

/* Settings for the publisher, as "NAME=value". The key is a secret: wipe it after use. */
typedef struct bench_devnode_access {
    char endpoint[128]; /* MINA_NODE_ENDPOINT */
    char key[128];      /* FEE_PAYER_PRIVATE_KEY, fresh */
} bench_devnode_access;

/* Returns when the node answers. Ends the program on failure. */
harness_process *bench_devnode_start(bench_devnode_access *ret);
