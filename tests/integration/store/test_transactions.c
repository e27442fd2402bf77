/* Transactions and lanes: what is stored before the first send, and who may. */
#include "ground.h"

#define PAYER "B62qpayer"

static store_lane acquire(store_session *session, const char *owner)
{
    store_lane lane = {0};
    base_error err = {0};
    ground_ok(store_lane_acquire(session, PAYER, owner, &lane, &err), &err);
    return lane;
}

/* Generates submission `number` and claims it for publishing; returns the claim's epoch. */
static int64_t prepare(ground *g, unsigned number)
{
    ground_generate(g, number, number * 10);
    BASE_CLEANUP(store_publish_batch_free)
    store_publish_batch *batch = ground_publish_claim(g, number, number * 10 + 1, false);
    assert_int_equal(store_publish_batch_at(batch, 0)->claim.answer, STORE_CLAIMED);
    return store_publish_batch_at(batch, 0)->claim.epoch;
}

static store_transaction make(unsigned number, int64_t nonce, const char *hash)
{
    store_transaction t = {.submission = ground_job(number).sha256,
                           .nonce = nonce,
                           .fee_nanomina = 100000000,
                           .payload = base_bytes_of("signed bytes", 12)};
    snprintf(t.hash, sizeof(t.hash), "%s", hash);
    snprintf(t.fee_payer, sizeof(t.fee_payer), "%s", PAYER);
    return t;
}

static base_code commit(ground *g, const store_lane *lane, const store_transaction *t, int64_t epoch, bool *fenced,
                        base_error *err)
{
    return store_transactions_commit(g->session, lane, t, &epoch, 1, fenced, err);
}

static void a_lane_has_one_owner_at_a_time(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    const store_lane lane = acquire(g->session, "publisher-a");
    assert_int_equal(lane.lane_epoch, 1);
    ground_ok(store_lane_check(g->session, &lane, &err), &err);
    store_lane second = {0};
    assert_int_equal(store_lane_acquire(other, PAYER, "publisher-b", &second, &err), BASE_CONFLICT);
    assert_non_null(strstr(err.message, "publisher-a"));
    assert_non_null(strstr(err.message, "since 20"));
    assert_int_equal(store_lane_check(other, &lane, &err), BASE_CONFLICT);
    store_lane elsewhere = {0};
    ground_ok(store_lane_acquire(other, "B62qsomeoneelse", "publisher-b", &elsewhere, &err), &err);
    ground_ok(store_lane_release(g->session, &lane, &err), &err);
    assert_int_equal(store_lane_check(g->session, &lane, &err), BASE_CONFLICT);
    second = acquire(other, "publisher-b");
    assert_int_equal(second.lane_epoch, 2);
}

static void taking_ones_own_lane_again_needs_one_release_only(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    (void)acquire(g->session, "a");
    const store_lane lane = acquire(g->session, "a");
    ground_ok(store_lane_release(g->session, &lane, &err), &err);
    assert_int_equal(acquire(other, "b").lane_epoch, 3);
}

static void a_lane_goes_with_its_connection_and_its_old_owner_is_fenced(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    const int64_t epoch = prepare(g, 1);
    const store_lane lane = acquire(g->session, "a");
    ground_run(g, "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory'");
    base_code code = store_lane_check(g->session, &lane, &err);
    if (code == BASE_UNAVAILABLE) /* the loss was met in the call itself */
        code = store_lane_check(g->session, &lane, &err);
    assert_int_equal(code, BASE_CONFLICT);
    (void)acquire(other, "b");
    bool fenced = false;
    const store_transaction t = make(1, 0, "hash-a");
    assert_int_equal(commit(g, &lane, &t, epoch, &fenced, &err), BASE_CONFLICT);
    const store_transaction_mark mark = {"hash-a", STORE_TX_INCLUDED, 5};
    assert_int_equal(store_transactions_mark(g->session, &lane, &mark, 1, &err), BASE_CONFLICT);
    ground_expect(g, "SELECT count(*) FROM transactions", "0");
}

static void nonces_rise_and_an_abandoned_one_is_free_again(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const int64_t epochs[2] = {prepare(g, 2), prepare(g, 1)};
    const store_lane lane = acquire(g->session, "a");
    int64_t nonce = -1;
    int64_t end = -1;
    ground_ok(store_lane_next_nonce(g->session, &lane, 0, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 0);
    const store_transaction both[2] = {make(2, 7, "hash-7"), make(1, 8, "hash-8")};
    bool fenced[2] = {true, true};
    ground_ok(store_transactions_commit(g->session, &lane, both, epochs, 2, fenced, &err), &err);
    assert_false(fenced[0] || fenced[1]);
    ground_ok(store_lane_next_nonce(g->session, &lane, 7, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 9);
    assert_true(end == INT64_MAX);

    BASE_CLEANUP(store_transaction_list_free) store_transaction_list *open = NULL;
    ground_ok(store_transactions_find_open(g->session, PAYER, 0, 10, &open, &err), &err);
    assert_int_equal(store_transaction_list_count(open), 2);
    const store_transaction *first = store_transaction_list_at(open, 0);
    assert_int_equal(first->nonce, 7);
    assert_string_equal(first->hash, "hash-7");
    assert_int_equal(first->state, STORE_TX_COMMITTED);
    assert_int_equal(first->fee_nanomina, 100000000);
    assert_memory_equal(first->payload.data, "signed bytes", 12);
    assert_memory_equal(&first->submission, &both[0].submission, sizeof(first->submission));

    BASE_CLEANUP(store_transaction_list_free) store_transaction_list *rest = NULL;
    ground_ok(store_transactions_find_open(g->session, PAYER, 8, 10, &rest, &err), &err);
    assert_int_equal(store_transaction_list_count(rest), 1);
    assert_string_equal(store_transaction_list_at(rest, 0)->hash, "hash-8");
    bool held = false;
    ground_ok(store_lane_holds_nonce(g->session, &lane, 8, &held, &err), &err);
    assert_true(held);

    const store_transaction_mark marks[] = {{"hash-8", STORE_TX_ABANDONED, 0}, {"hash-7", STORE_TX_INCLUDED, 42}};
    ground_ok(store_transactions_mark(g->session, &lane, marks, 2, &err), &err);
    ground_ok(store_lane_next_nonce(g->session, &lane, 7, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 8);
    ground_ok(store_lane_holds_nonce(g->session, &lane, 8, &held, &err), &err);
    assert_false(held);
    ground_ok(store_lane_next_nonce(g->session, &lane, 5, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 5); /* a hole below what is held */
    assert_int_equal(end, 7);
    ground_expect(
        g, "SELECT string_agg(state || ' ' || coalesce(block_height, -1), ', ' ORDER BY nonce) FROM transactions",
        "included 42, abandoned -1");
    ground_ok(store_transactions_commit(g->session, &lane, &both[1], &epochs[1], 1, fenced, &err), &err);
    assert_false(fenced[0]); /* an abandoned one of the same hash is revived */
    ground_expect(g, "SELECT state FROM transactions WHERE hash = 'hash-8'", "committed");
}

/* As after a node has lost its pool. In a table that passes for large, comparing each nonce with each takes half a minute. */
static void the_next_nonce_is_found_beyond_very_many_that_are_held(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    ground_run(g, "INSERT INTO transactions (hash, fee_payer, submission, nonce, fee_nanomina, payload, state) "
                  "SELECT n, '" PAYER "', n, n, 1, '', 'accepted' FROM generate_series(0, 30000) AS g (n) "
                  "WHERE n <> 29999; ANALYZE transactions; "
                  "UPDATE pg_class SET reltuples = 100000000 WHERE oid = 'transactions'::regclass");
    BASE_CLEANUP(store_session_free) store_session *session = ground_session_to(g->database.url, 10000);
    base_error err = {0};
    const store_lane lane = acquire(session, "a");
    int64_t nonce = -1, end = -1;
    ground_ok(store_lane_next_nonce(session, &lane, 0, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 29999);
    assert_int_equal(end, 30000);
    ground_ok(store_lane_next_nonce(session, &lane, 30000, &nonce, &end, &err), &err);
    assert_int_equal(nonce, 30001);
    assert_true(end == INT64_MAX);
}

static void repeating_a_commit_is_harmless_and_a_second_transaction_is_refused(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const int64_t epoch = prepare(g, 1), epoch_2 = prepare(g, 2);
    const store_lane lane = acquire(g->session, "a");
    const store_transaction t = make(1, 3, "hash-3");
    bool fenced = true;
    ground_ok(commit(g, &lane, &t, epoch, &fenced, &err), &err);
    ground_ok(commit(g, &lane, &t, epoch, &fenced, &err), &err);
    assert_false(fenced);
    const store_transaction same_submission = make(1, 4, "hash-4");
    assert_int_equal(commit(g, &lane, &same_submission, epoch, &fenced, &err), BASE_CONFLICT);
    const store_transaction same_nonce = make(2, 3, "hash-5");
    assert_int_equal(commit(g, &lane, &same_nonce, epoch_2, &fenced, &err), BASE_CONFLICT);
    ground_expect(g, "SELECT count(*) FROM transactions", "1");
}

static void a_transaction_of_a_lost_claim_is_not_stored(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const int64_t epochs[2] = {prepare(g, 1) - 1, prepare(g, 2)};
    const store_lane lane = acquire(g->session, "a");
    const store_transaction both[2] = {make(1, 0, "hash-0"), make(2, 1, "hash-1")};
    bool fenced[2] = {false, true};
    ground_ok(store_transactions_commit(g->session, &lane, both, epochs, 2, fenced, &err), &err);
    assert_true(fenced[0]);
    assert_false(fenced[1]);
    ground_expect(g, "SELECT string_agg(hash, ' ') FROM transactions", "hash-1");
}

static void a_claim_brings_the_live_transaction_and_its_end_settles_it(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const int64_t epoch = prepare(g, 1);
    const store_lane lane = acquire(g->session, "a");
    const store_transaction t = make(1, 3, "5JhashOfTransaction");
    bool fenced = true;
    ground_ok(commit(g, &lane, &t, epoch, &fenced, &err), &err);
    const wire_publish_proof job = ground_command(1);
    store_claim claim = {.epoch = epoch, .event_sequence = 2};
    store_publish_outcome outcome = ground_publish_outcome(&job, &claim, 11, STORE_RETRY);
    assert_false(ground_publish_commit(g, &outcome));

    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *batch = ground_publish_claim(g, 1, 11, false);
    const store_publish_work *work = store_publish_batch_at(batch, 0);
    assert_true(work->has_transaction);
    assert_string_equal(work->transaction.hash, "5JhashOfTransaction");
    assert_int_equal(work->transaction.nonce, 3);
    assert_memory_equal(work->transaction.payload.data, "signed bytes", 12);
    outcome = ground_publish_outcome(&job, &work->claim, 11, STORE_RETRY);
    outcome.abandon_transaction = true;
    assert_false(ground_publish_commit_in(g, &lane, &outcome));
    ground_expect(g, "SELECT state FROM transactions", "abandoned");

    BASE_CLEANUP(store_publish_batch_free) store_publish_batch *fresh = ground_publish_claim(g, 1, 11, false);
    assert_false(store_publish_batch_at(fresh, 0)->has_transaction);
    ground_ok(commit(g, &lane, &t, store_publish_batch_at(fresh, 0)->claim.epoch, &fenced, &err), &err);
    outcome = ground_publish_outcome(&job, &store_publish_batch_at(fresh, 0)->claim, 11, STORE_SUCCEEDED);
    assert_false(ground_publish_commit(g, &outcome));
    ground_expect(g, "SELECT state FROM transactions", "accepted");
}

/* A publisher that lost its lane in the middle of a batch: the new owner sends what is committed, so nothing of it is free. */
static void who_lost_the_lane_abandons_nothing(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    const int64_t epochs[2] = {prepare(g, 1), prepare(g, 2)};
    const store_lane lost = acquire(g->session, "a");
    const store_transaction both[2] = {make(1, 0, "hash-0"), make(2, 1, "hash-1")};
    bool fenced[2] = {true, true};
    ground_ok(store_transactions_commit(g->session, &lost, both, epochs, 2, fenced, &err), &err);
    ground_ok(store_lane_release(g->session, &lost, &err), &err);
    (void)acquire(other, "b");

    const wire_publish_proof jobs[2] = {ground_command(1), ground_command(2)};
    const store_claim claims[2] = {{.epoch = epochs[0], .event_sequence = 2},
                                   {.epoch = epochs[1], .event_sequence = 2}};
    store_publish_outcome given_back = ground_publish_outcome(&jobs[0], &claims[0], 11, STORE_RELEASED);
    given_back.abandon_transaction = true;
    assert_false(ground_publish_commit_in(g, &lost, &given_back));
    store_publish_outcome rejected = ground_publish_outcome(&jobs[1], &claims[1], 21, STORE_REJECTED);
    rejected.abandon_transaction = true;
    assert_true(ground_publish_commit_in(g, &lost, &rejected));
    ground_expect(g, "SELECT string_agg(state, ' ') FROM transactions", "committed committed");
    ground_expect(g, "SELECT string_agg(status || ' ' || attempt_open, ', ' ORDER BY attempt_open) FROM submissions",
                  "proof_publishing false, proof_publishing true");
}

static void what_the_node_accepted_is_not_abandoned_by_an_end(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    const int64_t epoch = prepare(g, 1);
    const store_lane lane = acquire(g->session, "a");
    const store_transaction t = make(1, 0, "hash-0");
    bool fenced = true;
    ground_ok(commit(g, &lane, &t, epoch, &fenced, &err), &err);
    const store_transaction_mark mark = {"hash-0", STORE_TX_ACCEPTED, 0};
    ground_ok(store_transactions_mark(g->session, &lane, &mark, 1, &err), &err);
    const wire_publish_proof job = ground_command(1);
    const store_claim claim = {.epoch = epoch, .event_sequence = 2};
    store_publish_outcome outcome = ground_publish_outcome(&job, &claim, 11, STORE_RETRY);
    outcome.abandon_transaction = true;
    assert_false(ground_publish_commit_in(g, &lane, &outcome));
    ground_expect(g, "SELECT state FROM transactions", "accepted");
}

/* To statistics of a time when no transaction was open, the index of those that are looks empty, and cheaper than any other. */
static void one_transaction_is_found_without_reading_all_that_are_open(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    ground_run(g, "INSERT INTO transactions (hash, fee_payer, submission, nonce, fee_nanomina, payload, state) "
                  "SELECT n, 'B62qother', n, n, 1, '', 'included' FROM generate_series(1, 500) AS g (n); "
                  "ANALYZE transactions; UPDATE transactions SET state = 'accepted'");
    const int64_t epochs[2] = {prepare(g, 1), prepare(g, 2)};
    ground_generate(g, 3, 30);
    const store_lane lane = acquire(g->session, "a");
    const store_transaction both[2] = {make(1, 0, "5JhashOfTransaction"), make(2, 1, "hash-1")};
    bool fenced[2] = {true, true}, rejected = false;
    ground_ok(store_transactions_commit(g->session, &lane, both, epochs, 2, fenced, &err), &err);
    size_t expired = 0; /* two whose transaction may be at the node do not */
    ground_ok(store_sweep_expire(g->session, 0, 10, g->pending, &expired, &err), &err);
    assert_int_equal(expired, 1);

    const wire_publish_proof jobs[2] = {ground_command(1), ground_command(2)};
    const store_claim claims[2] = {{.epoch = epochs[0], .event_sequence = 2},
                                   {.epoch = epochs[1], .event_sequence = 2}};
    store_publish_outcome outcome = ground_publish_outcome(&jobs[0], &claims[0], 11, STORE_SUCCEEDED);
    assert_false(ground_publish_commit_in(g, &lane, &outcome));
    outcome = ground_publish_outcome(&jobs[1], &claims[1], 21, STORE_RETRY);
    outcome.abandon_transaction = true;
    assert_false(ground_publish_commit_in(g, &lane, &outcome));
    const store_loss loss = {
        .mark = {both[0].hash, STORE_TX_FAILED, 9}, .reason_code = "transaction_failed", .reason = "no"};
    ground_ok(store_transaction_lose(g->session, &lane, &both[0], &loss, g->pending, &rejected, &err), &err);
    assert_true(rejected);
    ground_hand_in_statistics(g);
    ground_expect(g, "SELECT state FROM transactions WHERE fee_payer = '" PAYER "' ORDER BY nonce",
                  "failed\nabandoned");
    ground_expect(g, "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'transactions_open'", "0");
}

/* Complete by a transaction that then fails in its block. */
static void a_lost_transaction_rejects_its_submission_once_and_only_for_the_lanes_owner(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    const int64_t epoch = prepare(g, 1);
    const store_lane old = acquire(g->session, "a");
    const store_transaction t = make(1, 0, "5JhashOfTransaction");
    bool fenced = true, rejected = true;
    ground_ok(commit(g, &old, &t, epoch, &fenced, &err), &err);
    const wire_publish_proof job = ground_command(1);
    const store_claim claim = {.epoch = epoch, .event_sequence = 2};
    const store_publish_outcome outcome = ground_publish_outcome(&job, &claim, 11, STORE_SUCCEEDED);
    assert_false(ground_publish_commit_in(g, &old, &outcome));
    ground_ok(store_lane_release(g->session, &old, &err), &err);
    const store_lane lane = acquire(other, "b");
    const store_loss loss = {.mark = {t.hash, STORE_TX_FAILED, 9}, .reason_code = "transaction_failed", .reason = "no"};
    const size_t before = store_outbox_count(g->pending);
    assert_int_equal(store_transaction_lose(g->session, &old, &t, &loss, g->pending, &rejected, &err), BASE_CONFLICT);
    assert_int_equal(store_outbox_count(g->pending), before);
    ground_expect(g, "SELECT status FROM submissions", "complete");

    ground_ok(store_transaction_lose(other, &lane, &t, &loss, g->pending, &rejected, &err), &err);
    assert_true(rejected);
    assert_int_equal(store_outbox_count(g->pending), before + 2); /* an event and a dead letter */
    ground_expect(g, "SELECT status, reason_code FROM submissions", "rejected|transaction_failed");
    ground_expect(g, "SELECT state, block_height FROM transactions", "failed|9");
    const store_outbox_row *letter = store_outbox_at(g->pending, before + 1);
    wire_publish_proof command;
    ground_ok(wire_publish_proof_decode(letter->payload, &command, &err), &err);
    assert_memory_equal(command.sha256.bytes, job.sha256.bytes, BASE_SHA256_SIZE);
    ground_ok(store_transaction_lose(other, &lane, &t, &loss, g->pending, &rejected, &err), &err);
    assert_false(rejected); /* it was told before */
    assert_int_equal(store_outbox_count(g->pending), before + 2);
}

/* A statement by itself commits when the server has read all, and then the whole may fail. */
static void a_lane_whose_epoch_cannot_be_raised_is_not_held(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    BASE_CLEANUP(store_session_free) store_session *other = ground_session(g);
    base_error err = {0};
    ground_run(g, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                  "'BEGIN RAISE EXCEPTION ''not today''; END';"
                  "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON fee_payers DEFERRABLE INITIALLY DEFERRED "
                  "FOR EACH ROW EXECUTE FUNCTION refuse()");
    store_lane lane;
    assert_int_equal(store_lane_acquire(g->session, PAYER, "a", &lane, &err), BASE_UNAVAILABLE);
    assert_string_equal(err.message, "Postgres, commit: not today (P0001)");
    ground_run(g, "DROP TRIGGER refuse ON fee_payers");
    assert_int_equal(acquire(other, "b").lane_epoch, 1); /* the first one's lock has gone with its connection */
}

static void a_fee_payers_name_and_a_transaction_have_their_maxima(void **state)
{
    (void)state;
    BASE_CLEANUP(ground_free) ground *g = ground_new();
    base_error err = {0};
    char longest[WIRE_ADDRESS_MAX + 2];
    memset(longest, 'B', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    store_lane lane;
    assert_int_equal(store_lane_acquire(g->session, longest, "a", &lane, &err), BASE_INVALID);
    lane = acquire(g->session, "a");
    const int64_t epoch = prepare(g, 1);
    store_transaction t = make(1, 0, "5Jx");
    BASE_CLEANUP(free) char *payload = calloc(1, STORE_TRANSACTION_PAYLOAD_MAX + 1);
    t.payload = base_bytes_of(payload, STORE_TRANSACTION_PAYLOAD_MAX + 1);
    bool fenced = false;
    assert_int_equal(commit(g, &lane, &t, epoch, &fenced, &err), BASE_LIMIT);
    t.payload.size = STORE_TRANSACTION_PAYLOAD_MAX;
    ground_ok(commit(g, &lane, &t, epoch, &fenced, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_has_one_owner_at_a_time),
        cmocka_unit_test(taking_ones_own_lane_again_needs_one_release_only),
        cmocka_unit_test(a_lane_goes_with_its_connection_and_its_old_owner_is_fenced),
        cmocka_unit_test(nonces_rise_and_an_abandoned_one_is_free_again),
        cmocka_unit_test(the_next_nonce_is_found_beyond_very_many_that_are_held),
        cmocka_unit_test(repeating_a_commit_is_harmless_and_a_second_transaction_is_refused),
        cmocka_unit_test(a_transaction_of_a_lost_claim_is_not_stored),
        cmocka_unit_test(who_lost_the_lane_abandons_nothing),
        cmocka_unit_test(what_the_node_accepted_is_not_abandoned_by_an_end),
        cmocka_unit_test(one_transaction_is_found_without_reading_all_that_are_open),
        cmocka_unit_test(a_lost_transaction_rejects_its_submission_once_and_only_for_the_lanes_owner),
        cmocka_unit_test(a_fee_payers_name_and_a_transaction_have_their_maxima),
        cmocka_unit_test(a_lane_whose_epoch_cannot_be_raised_is_not_held),
        cmocka_unit_test(a_claim_brings_the_live_transaction_and_its_end_settles_it),
    };
    return cmocka_run_group_tests_name("store_transactions", tests, ground_start, ground_end);
}
