#include "devnode/node.h"

#include "base/clock.h"
#include "devnode/journal.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

struct node {
    node_options options;
    pthread_mutex_t lock;
    chain *chain;
    journal *journal; /* NULL: nothing is kept */
    pthread_cond_t stopped;
    bool stopping;
    bool has_thread;
    pthread_t thread;
};

static base_code replay(void *ctx, const journal_entry *entry, base_error *err)
{
    chain *c = ctx;
    switch (entry->kind) {
    case JOURNAL_FUND:
        return chain_fund(c, &entry->key, entry->amount, err);
    case JOURNAL_SEND:
        if (chain_judge(c, &entry->transaction.payment) != CHAIN_ACCEPTED)
            return base_fail(err, BASE_INVALID,
                             "a payment that the chain does not accept (minimum fee or pool changed?)");
        chain_add(c, &entry->transaction);
        return BASE_OK;
    case JOURNAL_BLOCK: {
        base_code code = chain_reserve_block(c, err);
        if (code == BASE_OK)
            chain_make_block(c, entry->time_ms);
        return code;
    }
    }
    return base_fail(err, BASE_INTERNAL, "unknown kind of journal entry");
}

/* Under the lock, so that the journal has the order of the chain. */
static base_code record(node *n, const journal_entry *entry, int64_t *ret_position, base_error *err)
{
    return n->journal == NULL ? BASE_OK : journal_append(n->journal, entry, ret_position, err);
}

/* Without the lock, so that callers share the disk's time. */
static base_code make_durable(node *n, int64_t position, base_error *err)
{
    return n->journal == NULL || n->options.without_sync ? BASE_OK : journal_sync(n->journal, position, err);
}

static base_code make_block_locked(node *n, int64_t *ret_position, base_error *err)
{
    const journal_entry entry = {.kind = JOURNAL_BLOCK, .time_ms = base_unix_ms()};
    base_code code = chain_reserve_block(n->chain, err);
    if (code == BASE_OK)
        code = record(n, &entry, ret_position, err);
    if (code == BASE_OK)
        chain_make_block(n->chain, entry.time_ms);
    return code;
}

static struct timespec later(struct timespec from, int64_t ms)
{
    int64_t nanoseconds = from.tv_nsec + ms % 1000 * 1000000;
    from.tv_sec += ms / 1000 + nanoseconds / 1000000000;
    from.tv_nsec = nanoseconds % 1000000000;
    return from;
}

static void *make_blocks(void *arg)
{
    node *n = arg;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        next = later(next, n->options.block_ms);
        pthread_mutex_lock(&n->lock);
        while (!n->stopping && pthread_cond_timedwait(&n->stopped, &n->lock, &next) == 0)
            ;
        bool stopping = n->stopping;
        pthread_mutex_unlock(&n->lock);
        if (stopping)
            return NULL;
        base_error err = {0};
        if (node_make_block(n, &err) != BASE_OK)
            fprintf(stderr, "no block made: %s\n", err.message);
    }
}

static void init_locks(node *n)
{
    pthread_mutex_init(&n->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&n->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
}

base_code node_new(const node_options *options, node **ret, base_error *err)
{
    node *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for the node");
    init_locks(made);
    BASE_CLEANUP(node_free) node *n = made;
    n->options = *options;
    base_code code = chain_new(options->minimum_fee, options->pool_max, &n->chain, err);
    if (code == BASE_OK && options->state != NULL)
        code = journal_open(options->state, options->network, replay, n->chain, &n->journal, err);
    n->options.state = NULL; /* was borrowed */
    if (code != BASE_OK)
        return code;
    n->has_thread = options->block_ms > 0 && pthread_create(&n->thread, NULL, make_blocks, n) == 0;
    if (options->block_ms > 0 && !n->has_thread)
        return base_fail(err, BASE_NO_MEMORY, "no thread to make blocks");
    *ret = BASE_TAKE(n);
    return BASE_OK;
}

void node_free(node *n)
{
    if (n == NULL)
        return;
    if (n->has_thread) {
        pthread_mutex_lock(&n->lock);
        n->stopping = true;
        pthread_cond_signal(&n->stopped);
        pthread_mutex_unlock(&n->lock);
        pthread_join(n->thread, NULL);
    }
    journal_free(n->journal);
    chain_free(n->chain);
    pthread_cond_destroy(&n->stopped);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

mina_network node_network(const node *n)
{
    return n->options.network;
}

base_code node_submit(node *n, const chain_transaction *transaction, node_receipt *ret, base_error *err)
{
    pthread_mutex_lock(&n->lock);
    const chain_account *account = chain_find_account(n->chain, &transaction->payment.from);
    *ret = (node_receipt){.answer = chain_judge(n->chain, &transaction->payment)};
    if (account != NULL) {
        ret->account_nonce = account->nonce;
        ret->inferred_nonce = account->nonce + account->pooled;
    }
    base_code code = BASE_OK;
    int64_t position = 0;
    if (ret->answer == CHAIN_ACCEPTED) {
        const journal_entry entry = {.kind = JOURNAL_SEND, .transaction = *transaction};
        code = record(n, &entry, &position, err);
        if (code == BASE_OK)
            chain_add(n->chain, transaction);
    } else if (ret->answer == CHAIN_DUPLICATE) {
        position = JOURNAL_ALL; /* it counts as accepted, so it must be as durable */
    }
    pthread_mutex_unlock(&n->lock);
    return code == BASE_OK ? make_durable(n, position, err) : code;
}

base_code node_fund(node *n, const mina_public_key *key, uint64_t amount, bool only_new, base_error *err)
{
    const journal_entry entry = {.kind = JOURNAL_FUND, .key = *key, .amount = amount};
    int64_t position = 0;
    pthread_mutex_lock(&n->lock);
    base_code code = BASE_OK;
    if (!only_new || chain_find_account(n->chain, key) == NULL) {
        /* First the chain, which alone may refuse; if the journal then fails, the money is there until the node restarts. */
        code = chain_fund(n->chain, key, amount, err);
        if (code == BASE_OK)
            code = record(n, &entry, &position, err);
    }
    pthread_mutex_unlock(&n->lock);
    return code == BASE_OK ? make_durable(n, position, err) : code;
}

base_code node_make_block(node *n, base_error *err)
{
    int64_t position = 0;
    pthread_mutex_lock(&n->lock);
    base_code code = make_block_locked(n, &position, err);
    pthread_mutex_unlock(&n->lock);
    return code == BASE_OK ? make_durable(n, position, err) : code;
}

const chain *node_lock(node *n)
{
    pthread_mutex_lock(&n->lock);
    return n->chain;
}

void node_unlock(node *n)
{
    pthread_mutex_unlock(&n->lock);
}
