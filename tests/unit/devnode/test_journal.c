/* What a node finds again after it was killed at any moment. */
#include "devnode/journal.h"
#include "devnode/node.h"
#include "keys.h"
#include "suites.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PATH_SIZE = 64 };

typedef struct place {
    char folder[PATH_SIZE];
    char path[PATH_SIZE];
} place;

static int begin(void **state)
{
    static place where;
    snprintf(where.folder, sizeof(where.folder), "/tmp/devnode-test-XXXXXX");
    if (mkdtemp(where.folder) == NULL)
        return -1;
    snprintf(where.path, sizeof(where.path), "%.50s/state", where.folder);
    *state = &where;
    return 0;
}

static int end(void **state)
{
    const place *where = *state;
    unlink(where->path);
    return rmdir(where->folder);
}

static base_code try_open(const char *path, mina_network network, node **ret, base_error *err)
{
    const node_options options = {network, CHAIN_MINIMUM_FEE, 10, 0, path, false};
    return node_new(&options, ret, err);
}

static node *open_node(const char *path)
{
    node *n = NULL;
    base_error err = {0};
    if (try_open(path, MINA_DEVNET, &n, &err) != BASE_OK)
        fail_msg("%s", err.message);
    return n;
}

static void send(node *n, uint32_t nonce)
{
    const mina_payment payment = payment_of(ALICE, BOB, nonce);
    const chain_transaction transaction = transaction_of(&payment, ALICE);
    node_receipt receipt;
    assert_int_equal(node_submit(n, &transaction, &receipt, NULL), BASE_OK);
    assert_int_equal(receipt.answer, CHAIN_ACCEPTED);
}

/* Alice funded, one payment in a block, one in the pool. */
static void write_history(const char *path)
{
    BASE_CLEANUP(node_free) node *n = open_node(path);
    assert_int_equal(node_fund(n, &keys[ALICE].public_key, 10 * MINA_NANOMINA, true, NULL), BASE_OK);
    assert_int_equal(node_fund(n, &keys[ALICE].public_key, 10 * MINA_NANOMINA, true, NULL), BASE_OK);
    assert_int_equal(node_fund(n, &keys[BOB].public_key, MINA_NANOMINA, true, NULL), BASE_OK);
    send(n, 0);
    assert_int_equal(node_make_block(n, NULL), BASE_OK);
    send(n, 1);
}

static void a_restart_brings_back_accounts_blocks_and_pool(void **state)
{
    const place *where = *state;
    write_history(where->path);
    BASE_CLEANUP(node_free) node *n = open_node(where->path);
    const chain *c = node_lock(n);
    const mina_payment pooled = payment_of(ALICE, BOB, 1);
    assert_true(chain_tip(c)->height == 2);
    assert_int_equal(chain_tip(c)->count, 1);
    assert_int_equal(chain_pool_count(c), 1);
    assert_string_equal(chain_pool_at(c, 0)->hash.text, mina_payment_hash(&pooled).text);
    assert_int_equal(
        mina_payment_verify(&chain_pool_at(c, 0)->payment, MINA_DEVNET, &chain_pool_at(c, 0)->signature, NULL),
        BASE_OK);
    const chain_account *alice = chain_find_account(c, &keys[ALICE].public_key);
    assert_int_equal(alice->nonce, 1);
    assert_true(alice->balance == 9 * MINA_NANOMINA - pooled.fee);
    node_unlock(n);
    send(n, 2);
}

static void a_block_has_the_same_hash_after_a_restart(void **state)
{
    const place *where = *state;
    write_history(where->path);
    char hash[CHAIN_STATE_HASH_CHARS + 1];
    node *n = open_node(where->path);
    memcpy(hash, chain_tip(node_lock(n))->state_hash, sizeof(hash));
    node_unlock(n);
    node_free(n);
    BASE_CLEANUP(node_free) node *again = open_node(where->path);
    assert_string_equal(chain_tip(node_lock(again))->state_hash, hash);
    node_unlock(again);
}

/* A crash can cut the file anywhere: the node starts with what was whole, and can go on writing. */
static void a_file_cut_anywhere_loses_only_its_last_entry(void **state)
{
    const place *where = *state;
    write_history(where->path);
    struct stat status;
    assert_int_equal(stat(where->path, &status), 0);
    for (off_t size = status.st_size - 1; size > status.st_size - 400; size -= 13) {
        assert_int_equal(truncate(where->path, size), 0);
        node *n = open_node(where->path);
        const chain *c = node_lock(n);
        assert_true(chain_tip(c)->height == 2);
        assert_int_equal(chain_pool_count(c), 0);
        node_unlock(n);
        node_free(n);
    }
    BASE_CLEANUP(node_free) node *n = open_node(where->path);
    send(n, 1);
}

static void append_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void damage_inside_the_file_is_refused_with_its_line(void **state)
{
    const place *where = *state;
    write_history(where->path);
    append_text(where->path, "{\"send\":{}}\n");
    node *n = NULL;
    base_error err = {0};
    assert_int_equal(try_open(where->path, MINA_DEVNET, &n, &err), BASE_INVALID);
    assert_non_null(strstr(err.message, "line 7"));
}

static void a_number_out_of_its_range_is_damage(void **state)
{
    const place *where = *state;
    static const char *const AMOUNTS[] = {"12x", "-1", "", "18446744073709551616", "1e3"};
    for (size_t i = 0; i < sizeof(AMOUNTS) / sizeof(AMOUNTS[0]); i++) {
        char line[256];
        unlink(where->path);
        write_history(where->path);
        snprintf(line, sizeof(line), "{\"fund\":{\"account\":\"%s\",\"amount\":\"%s\"}}\n",
                 "B62qiXGjfNbFaXQWqYzyHg4t2NSKj987dxpXwe1CXtXdHerFVt7aw1Y", AMOUNTS[i]);
        append_text(where->path, line);
        node *n = NULL;
        base_error err = {0};
        assert_int_equal(try_open(where->path, MINA_DEVNET, &n, &err), BASE_INVALID);
        assert_non_null(strstr(err.message, "line 7: a funding's amount is no number of nanomina"));
    }
}

static void a_file_of_something_else_is_refused(void **state)
{
    const place *where = *state;
    append_text(where->path, "shopping list\n");
    node *n = NULL;
    assert_int_equal(try_open(where->path, MINA_DEVNET, &n, NULL), BASE_INVALID);
}

static void a_state_belongs_to_one_network_and_one_process(void **state)
{
    const place *where = *state;
    BASE_CLEANUP(node_free) node *n = open_node(where->path);
    node *other = NULL;
    base_error err = {0};
    assert_int_equal(try_open(where->path, MINA_DEVNET, &other, &err), BASE_CONFLICT);
    assert_non_null(strstr(err.message, "another process"));
    node_free(BASE_TAKE(n));
    assert_int_equal(try_open(where->path, MINA_MAINNET, &other, &err), BASE_CONFLICT);
    assert_non_null(strstr(err.message, "devnet"));
}

/* How large files of this process may become; write() fails beyond it as on a full disk. */
static void set_disk_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_accepts_nothing_until_there_is_room_again(void **state)
{
    const place *where = *state;
    write_history(where->path);
    node *n = open_node(where->path);
    struct stat before, after;
    assert_int_equal(stat(where->path, &before), 0);
    const mina_payment payment = payment_of(ALICE, BOB, 2);
    const chain_transaction transaction = transaction_of(&payment, ALICE);
    node_receipt receipt;
    base_error err = {0};
    set_disk_size((rlim_t)before.st_size + 9); /* in the middle of a line */
    base_code sent = node_submit(n, &transaction, &receipt, &err);
    base_code made = node_make_block(n, NULL);
    set_disk_size(RLIM_INFINITY);
    assert_int_equal(sent, BASE_INTERNAL);
    assert_string_equal(err.message, "cannot write the state: File too large");
    assert_int_equal(made, BASE_INTERNAL);
    assert_int_equal(stat(where->path, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    const chain *c = node_lock(n);
    assert_int_equal(chain_pool_count(c), 1);
    assert_true(chain_tip(c)->height == 2);
    node_unlock(n);

    send(n, 2);
    node_free(n);
    BASE_CLEANUP(node_free) node *again = open_node(where->path);
    assert_int_equal(chain_pool_count(node_lock(again)), 2);
    node_unlock(again);
}

static void entries_that_lack_something_are_refused(void **state)
{
    const place *where = *state;
    static const struct {
        const char *line, *why;
    } BAD[] = {
        {"{\"fund\":{\"amount\":\"1\"}}\n", "a funding lacks its account or amount"},
        {"{\"fund\":{\"account\":\"B62\",\"amount\":\"1\"}}\n", "Mina address"},
        {"{\"send\":{\"from\":\"B62\"}}\n", "a payment lacks a field"},
        {"{\"block\":\"now\"}\n", "neither a funding nor a payment nor a block"},
    };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        unlink(where->path);
        node_free(open_node(where->path));
        append_text(where->path, BAD[i].line);
        append_text(where->path, "{\"block\":1}\n");
        node *n = NULL;
        base_error err = {0};
        assert_int_equal(try_open(where->path, MINA_DEVNET, &n, &err), BASE_INVALID);
        if (strstr(err.message, BAD[i].why) == NULL)
            fail_msg("%s", err.message);
    }
}

int run_journal_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_restart_brings_back_accounts_blocks_and_pool, begin, end),
        cmocka_unit_test_setup_teardown(a_block_has_the_same_hash_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_loses_only_its_last_entry, begin, end),
        cmocka_unit_test_setup_teardown(damage_inside_the_file_is_refused_with_its_line, begin, end),
        cmocka_unit_test_setup_teardown(a_number_out_of_its_range_is_damage, begin, end),
        cmocka_unit_test_setup_teardown(a_file_of_something_else_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_accepts_nothing_until_there_is_room_again, begin, end),
        cmocka_unit_test_setup_teardown(entries_that_lack_something_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_state_belongs_to_one_network_and_one_process, begin, end),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
