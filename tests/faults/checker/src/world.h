#pragma once
/* What the checker has read: submissions, their events, dead letters and transactions, found by keys of 32 bytes. */
#include "base/bytes.h"
#include "wire/messages.h"

#define CHECKER_NOBODY      UINT32_MAX /* no index */
#define CHECKER_REASONS_MAX 4096       /* different reason codes; all others count as one */

/* Open addressing; grows at half full. */
typedef struct checker_table {
    uint8_t (*keys)[32];
    uint32_t *values; /* CHECKER_NOBODY: a free slot */
    size_t count, slots;
} checker_table;

/* What was written twice is told by its digest. */
typedef struct checker_content {
    uint8_t bytes[16];
} checker_content;
checker_content checker_content_of(base_bytes data);

typedef struct checker_submission {
    base_sha256 sha256;
    base_digest proof_digest;
    bool has_row, has_proof;
    bool is_cut; /* its first events went with a lost stream, which is allowed */
    wire_status status;
    int64_t event_sequence, proofs_generated;
    uint64_t job_sequence;    /* of its first message for the generator; 0: none is left */
    uint32_t transaction;     /* that the row names */
    uint32_t reason;          /* of the row */
    uint32_t events, letters; /* first of each list */
    uint32_t landed;          /* transactions in pool and blocks, failed ones not counted */
    uint32_t landed_first;    /* the first of them */
    uint32_t rejections;      /* events */
} checker_submission;

typedef struct checker_event {
    uint32_t next; /* of the same submission */
    uint32_t reason, transaction;
    uint64_t stream_sequence, sequence;
    wire_status status, previous;
    checker_content content;
    bool is_rejection; /* one that a dead letter must tell of, too */
} checker_event;

typedef struct checker_letter {
    uint32_t next;
    uint32_t reason;
    uint64_t stream_sequence, job_sequence;
    int64_t stored_unix_ns;
    checker_content content, message_id;
    bool is_matched;
} checker_letter;

/* A message in the jobs stream. */
typedef struct checker_job {
    uint64_t sequence;
    int64_t stored_unix_ns;
    checker_content content;
    bool wants_letter; /* nobody can do anything with it */
} checker_job;

typedef struct checker_transaction {
    char hash[WIRE_TRANSACTION_MAX + 1];
    char state[12];          /* of its row; "" without one */
    uint32_t row_submission; /* by its row */
    uint32_t owner;          /* by its memo */
    int64_t row_nonce, nonce;
    int64_t height;                             /* 0: pooled */
    bool on_chain, is_failed, has_current_memo; /* the last: it anchors the proof that is stored */
} checker_transaction;

/* A nonce that one of our fee payers has used. */
typedef struct checker_spend {
    uint32_t payer, transaction;
    int64_t nonce;
} checker_spend;

typedef struct checker_payer {
    char address[WIRE_ADDRESS_MAX + 1];
} checker_payer;

/* A list that grows: items, count and capacity under one name. */
#define CHECKER_LIST(type)                                                                                             \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

typedef struct checker_world {
    checker_table by_sha256, by_hash, by_memo; /* of submissions, transactions, submissions again */
    CHECKER_LIST(checker_submission) submissions;
    CHECKER_LIST(checker_event) events;
    CHECKER_LIST(checker_letter) letters;
    CHECKER_LIST(checker_letter) stray_letters; /* of no submission */
    CHECKER_LIST(checker_job) jobs;
    CHECKER_LIST(checker_transaction) transactions;
    CHECKER_LIST(checker_spend) spends;
    CHECKER_LIST(checker_payer) payers;
    CHECKER_LIST(char *) reasons;
    bool chain_is_whole; /* from its first block on */
} checker_world;

void checker_world_done(checker_world *world);

/* Room for one more item of `size` bytes; NULL: no memory, and the list is as it was. */
void *checker_room(void *items, size_t count, size_t *capacity, size_t size);

/* Appends a zeroed item and points `ret` to it; else fails the calling function. */
#define CHECKER_APPEND(list, ret, err)                                                                                 \
    do {                                                                                                               \
        void *room = checker_room((list)->items, (list)->count, &(list)->capacity, sizeof(*(list)->items));            \
        if (room == NULL)                                                                                              \
            return base_fail((err), BASE_NO_MEMORY, "no memory for %zu items", (list)->count + 1);                     \
        (list)->items = room;                                                                                          \
        (ret) = &(list)->items[(list)->count++];                                                                       \
        memset((ret), 0, sizeof(*(ret)));                                                                              \
    } while (0)

/* Value of a key; CHECKER_NOBODY when there is none. */
uint32_t checker_table_get(const checker_table *table, const uint8_t key[32]);
/* Adds a key that is not there. */
BASE_MUST_CHECK base_code checker_table_add(checker_table *table, const uint8_t key[32], uint32_t value,
                                            base_error *err);

/* Index of the submission, made if need be. */
BASE_MUST_CHECK base_code checker_submission_of(checker_world *world, const base_sha256 *sha256, uint32_t *ret,
                                                base_error *err);
/* Index of the transaction, made if need be; CHECKER_NOBODY for "". BASE_INVALID: too long. */
BASE_MUST_CHECK base_code checker_transaction_of(checker_world *world, const char *hash, uint32_t *ret,
                                                 base_error *err);
/* Notes that a transaction with the memo of this proof belongs to the submission. */
BASE_MUST_CHECK base_code checker_memo_add(checker_world *world, uint32_t submission, const base_digest *proof,
                                           base_error *err);
/* Index of the submission; CHECKER_NOBODY. */
uint32_t checker_memo_get(const checker_world *world, const char *memo);
/* Index of the reason code, made if need be. */
BASE_MUST_CHECK base_code checker_reason_of(checker_world *world, const char *code, uint32_t *ret, base_error *err);
const char *checker_reason_text(const checker_world *world, uint32_t reason);
