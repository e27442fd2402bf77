#pragma once
/* Makes chosen memory allocations fail, once each: in this program, or in a service that was started with this library preloaded.
 *
 * The calls of malloc and its kin that an object makes go through slots of its own. Those of the program and of the libraries
 * whose results it checks lead here instead (redirect.h), and from here to the real function, or to its failure. So AddressSanitizer
 * still owns the heap, the services are broken as they are built, and it is known on whose behalf something is allocated.
 * Alternatives that were weighed:
 * - The linker's --wrap reaches what is linked statically, our own code, but no shared library, and needs a second service built for it.
 * - A malloc of our own, or a preloaded one, would have to stand before that of AddressSanitizer, which must see all to find leaks.
 * - The libraries' own hooks (json_set_alloc_funcs, curl_global_init_mem, CRYPTO_set_mem_functions) leave out libpq and nats.c.
 * - A fault point in an own wrapper of malloc (as base/fault.h has them) would be in the way of all readers of the libs.
 *
 * No test fails jansson's parser on an answer of the node, where it frees what it does not own when it lacks memory (2.14); on JetStream's
 * answers it is failed. Nor are libpq, nats.c and libcurl on the way of a job: each takes seconds to get over it (a new connection, an ack
 * wait). libpq is failed by test_store.c; what is left out of nats.c, and why, is said in test_broker.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* On whose behalf: a set of these. */
enum {
    ALLOCATION_OURS = 1,     /* the program: services, libs; tests too, so arm it only around the call to be tested */
    ALLOCATION_JANSSON = 2,  /* JSON of the broker's answers and of the node's */
    ALLOCATION_PROTOBUF = 4, /* allocates by our own functions but for a scratch list */
    ALLOCATION_LIBPQ = 8,    /* rows, statements, connections */
    ALLOCATION_NATS = 16,    /* messages, subscriptions, also on its own threads */
    ALLOCATION_CURL = 32,    /* requests to the node */
    ALLOCATION_CRYPTO = 64,  /* keys, proofs, signatures */
    ALLOCATION_MICROHTTPD = 128,
    ALLOCATION_ALL = 255,
};

#define ALLOCATION_BOARD_VARIABLE "ALLOCATION_BOARD" /* path of a file that holds the board, for a preloaded program */
#define ALLOCATION_FRAMES_MAX     24
#define ALLOCATION_KNOWN_MAX      2048 /* call stacks on one board */

typedef enum allocation_mode {
    ALLOCATION_NONE,   /* nothing fails */
    ALLOCATION_NTH,    /* the target-th from now on fails, once */
    ALLOCATION_PLACES, /* each call stack fails once: all of them in the time of a few jobs, whatever their order */
    ALLOCATION_FIRST,  /* the first call stack that no program on this board has failed yet, and nothing after it */
} allocation_mode;

/* What shall fail and what did. Shared with a preloaded program, so all of it may be read and set while that runs. */
typedef struct allocation_board {
    _Atomic uint32_t mode;
    _Atomic uint32_t owners;
    _Atomic uint64_t target;  /* ALLOCATION_NTH */
    _Atomic int64_t pause_us; /* ALLOCATION_PLACES: least time between two failures, so that each is met alone */
    _Atomic uint64_t passed;  /* allocations since it was armed */
    _Atomic uint64_t failed;  /* of them */
    _Atomic uint64_t pending; /* ALLOCATION_PLACES: allocations spared for the pause since the last failure */
    /* ALLOCATION_FIRST: the call stacks that have failed, in all programs that had the board so far */
    uint64_t known[ALLOCATION_KNOWN_MAX];
    uint64_t known_count;
} allocation_board;

/* The board of this process. */
allocation_board *allocation_own_board(void);

/* Arms ALLOCATION_NTH. Allocations of all threads count. */
void allocation_fail_nth(uint32_t owners, uint64_t n);
/* Those of the calling thread neither fail nor count: for the tools of a test. */
void allocation_spare_this_thread(bool spared);
/* Disarms. True: one failed. */
bool allocation_stop(void);
/* Writes the call stack of the latest failure, a line for each frame. */
void allocation_print_place(FILE *out);
