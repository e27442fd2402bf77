/* The rules of pool and blocks. */
#include "keys.h"
#include "suites.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MINA(n) ((n)*MINA_NANOMINA)

/* A chain on which Alice has 10 MINA and Bob 5, with room for four pooled payments. */
static int begin(void **state)
{
    chain *c = NULL;
    if (chain_new(CHAIN_MINIMUM_FEE, 4, &c, NULL) != BASE_OK ||
        chain_fund(c, &keys[ALICE].public_key, MINA(10), NULL) != BASE_OK ||
        chain_fund(c, &keys[BOB].public_key, MINA(5), NULL) != BASE_OK)
        return -1;
    *state = c;
    return 0;
}

static int end(void **state)
{
    chain_free(*state);
    return 0;
}

static chain_answer submit(chain *c, const mina_payment *payment)
{
    chain_answer answer = chain_judge(c, payment);
    if (answer == CHAIN_ACCEPTED) {
        const chain_transaction transaction = {.payment = *payment, .hash = mina_payment_hash(payment)};
        chain_add(c, &transaction);
    }
    return answer;
}

static void make_block(chain *c)
{
    assert_int_equal(chain_reserve_block(c, NULL), BASE_OK);
    chain_make_block(c, 1);
}

static const chain_account *account(const chain *c, int who)
{
    return chain_find_account(c, &keys[who].public_key);
}

static void nonces_go_in_order_without_gaps(void **state)
{
    chain *c = *state;
    mina_payment first = payment_of(ALICE, BOB, 0);
    mina_payment second = payment_of(ALICE, BOB, 1);
    mina_payment third = payment_of(ALICE, BOB, 2);
    assert_int_equal(submit(c, &second), CHAIN_BAD_NONCE);
    assert_int_equal(submit(c, &first), CHAIN_ACCEPTED);
    assert_int_equal(submit(c, &third), CHAIN_BAD_NONCE);
    assert_int_equal(submit(c, &second), CHAIN_ACCEPTED);
    assert_int_equal(account(c, ALICE)->nonce, 0);
    assert_int_equal(account(c, ALICE)->pooled, 2);
}

static void the_same_bytes_are_a_duplicate_while_pooled_and_a_nonce_error_once_included(void **state)
{
    chain *c = *state;
    mina_payment payment = payment_of(ALICE, BOB, 0);
    assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
    assert_int_equal(submit(c, &payment), CHAIN_DUPLICATE);
    assert_int_equal(chain_pool_count(c), 1);
    make_block(c);
    assert_int_equal(submit(c, &payment), CHAIN_BAD_NONCE);
}

static void another_payment_with_a_pooled_nonce_must_pay_more(void **state)
{
    chain *c = *state;
    mina_payment first = payment_of(ALICE, BOB, 0);
    mina_payment second = first;
    second.amount++;
    assert_int_equal(submit(c, &first), CHAIN_ACCEPTED);
    assert_int_equal(submit(c, &second), CHAIN_LOW_REPLACEMENT);
    second.fee++;
    assert_int_equal(submit(c, &second), CHAIN_ACCEPTED);
    assert_int_equal(chain_pool_count(c), 1);
    assert_string_equal(chain_pool_at(c, 0)->hash.text, mina_payment_hash(&second).text);
    assert_true(account(c, ALICE)->pooled_cost == second.amount + second.fee);
    make_block(c);
    assert_int_equal(account(c, ALICE)->nonce, 1);
    assert_int_equal(chain_tip(c)->count, 1);
    assert_true(account(c, BOB)->balance == MINA(5) + second.amount);
}

static void what_is_pooled_counts_against_the_balance(void **state)
{
    chain *c = *state;
    mina_payment first = payment_of(ALICE, BOB, 0);
    first.amount = MINA(9);
    assert_int_equal(submit(c, &first), CHAIN_ACCEPTED);
    mina_payment second = payment_of(ALICE, BOB, 1);
    assert_int_equal(submit(c, &second), CHAIN_INSUFFICIENT_FUNDS);
    second.amount = MINA(1) - first.fee - second.fee;
    assert_int_equal(submit(c, &second), CHAIN_ACCEPTED);
    make_block(c);
    assert_true(account(c, ALICE)->balance == 0);
}

static void a_payer_that_does_not_exist_is_named(void **state)
{
    mina_payment payment = payment_of(CAROL, BOB, 0);
    assert_int_equal(submit(*state, &payment), CHAIN_NO_ACCOUNT);
}

static void fees_below_the_minimum_and_expired_payments_are_refused(void **state)
{
    chain *c = *state;
    mina_payment payment = payment_of(ALICE, BOB, 0);
    payment.fee = CHAIN_MINIMUM_FEE - 1;
    assert_int_equal(submit(c, &payment), CHAIN_LOW_FEE);
    payment.fee++;
    payment.valid_until = (uint32_t)chain_tip(c)->slot;
    assert_int_equal(submit(c, &payment), CHAIN_EXPIRED);
    payment.valid_until++;
    assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
}

static void sums_beyond_64_bits_are_refused(void **state)
{
    mina_payment payment = payment_of(ALICE, BOB, 0);
    payment.amount = UINT64_MAX - payment.fee + 1;
    assert_int_equal(submit(*state, &payment), CHAIN_OVERFLOW);
    payment.amount--;
    assert_int_equal(submit(*state, &payment), CHAIN_INSUFFICIENT_FUNDS);
}

static void a_full_pool_takes_replacements_only(void **state)
{
    chain *c = *state;
    for (uint32_t nonce = 0; nonce < 4; nonce++) {
        mina_payment payment = payment_of(ALICE, BOB, nonce);
        assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
    }
    mina_payment other = payment_of(BOB, ALICE, 0);
    assert_int_equal(submit(c, &other), CHAIN_POOL_FULL);
    mina_payment replacement = payment_of(ALICE, BOB, 2);
    replacement.fee++;
    assert_int_equal(submit(c, &replacement), CHAIN_ACCEPTED);
    make_block(c);
    assert_int_equal(chain_tip(c)->count, 4);
    assert_int_equal(submit(c, &other), CHAIN_ACCEPTED);
}

static void a_block_moves_amounts_and_takes_fees(void **state)
{
    chain *c = *state;
    uint64_t height = chain_tip(c)->height;
    mina_payment payment = payment_of(ALICE, BOB, 0);
    assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
    make_block(c);
    assert_true(account(c, ALICE)->balance == MINA(10) - payment.amount - payment.fee);
    assert_true(account(c, BOB)->balance == MINA(5) + payment.amount);
    assert_int_equal(account(c, ALICE)->nonce, 1);
    assert_int_equal(account(c, ALICE)->pooled, 0);
    assert_int_equal(chain_pool_count(c), 0);
    assert_true(chain_tip(c)->height == height + 1);
    assert_null(chain_tip(c)->transactions[0].failure);
    assert_string_equal(chain_tip(c)->previous_hash, chain_block_at(c, 0)->state_hash);
}

static void a_payment_to_oneself_costs_the_fee_alone(void **state)
{
    chain *c = *state;
    mina_payment payment = payment_of(ALICE, ALICE, 0);
    assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
    make_block(c);
    assert_true(account(c, ALICE)->balance == MINA(10) - payment.fee);
}

static void a_new_account_costs_one_mina_and_too_little_fails_in_the_block(void **state)
{
    chain *c = *state;
    mina_payment little = payment_of(ALICE, CAROL, 0);
    little.amount = CHAIN_ACCOUNT_CREATION - 1;
    mina_payment enough = payment_of(ALICE, CAROL, 1);
    enough.amount = CHAIN_ACCOUNT_CREATION + 7;
    assert_int_equal(submit(c, &little), CHAIN_ACCEPTED);
    make_block(c);
    assert_string_equal(chain_tip(c)->transactions[0].failure, "Amount_insufficient_to_create_account");
    assert_null(account(c, CAROL));
    assert_true(account(c, ALICE)->balance == MINA(10) - little.fee);
    assert_int_equal(account(c, ALICE)->nonce, 1);
    assert_int_equal(submit(c, &enough), CHAIN_ACCEPTED);
    make_block(c);
    assert_true(account(c, CAROL)->balance == 7);
}

static void submit_many(chain *c, uint32_t first_nonce, uint32_t count)
{
    mina_payment payment = payment_of(ALICE, BOB, first_nonce);
    payment.amount = 0;
    payment.fee = CHAIN_MINIMUM_FEE;
    for (uint32_t i = 0; i < count; i++, payment.nonce++)
        assert_int_equal(submit(c, &payment), CHAIN_ACCEPTED);
}

static void what_expires_in_the_pool_is_dropped_with_all_that_follows_it(void **state)
{
    (void)state;
    BASE_CLEANUP(chain_free) chain *c = NULL;
    assert_int_equal(chain_new(CHAIN_MINIMUM_FEE, 2 * CHAIN_BLOCK_MAX + 2, &c, NULL), BASE_OK);
    assert_int_equal(chain_fund(c, &keys[ALICE].public_key, MINA(100), NULL), BASE_OK);
    assert_int_equal(chain_fund(c, &keys[BOB].public_key, MINA(100), NULL), BASE_OK);
    /* Two full blocks are waiting; Bob's first payment is in the second and valid only for the first. */
    mina_payment late = payment_of(BOB, ALICE, 0);
    late.valid_until = (uint32_t)chain_tip(c)->slot + 1;
    mina_payment after = payment_of(BOB, ALICE, 1);
    submit_many(c, 0, CHAIN_BLOCK_MAX);
    assert_int_equal(submit(c, &late), CHAIN_ACCEPTED);
    submit_many(c, CHAIN_BLOCK_MAX, CHAIN_BLOCK_MAX);
    assert_int_equal(submit(c, &after), CHAIN_ACCEPTED);
    make_block(c);
    assert_int_equal(chain_tip(c)->count, CHAIN_BLOCK_MAX);
    make_block(c);
    assert_int_equal(chain_tip(c)->count, CHAIN_BLOCK_MAX - 1);
    assert_int_equal(chain_pool_count(c), 1);
    assert_int_equal(account(c, BOB)->nonce, 0);
    assert_int_equal(account(c, BOB)->pooled, 0);
    assert_true(account(c, BOB)->pooled_cost == 0);
    mina_payment again = payment_of(BOB, ALICE, 0);
    assert_int_equal(submit(c, &again), CHAIN_ACCEPTED);
}

static void a_chain_that_grows_too_long_forgets_its_oldest_blocks(void **state)
{
    chain *c = *state;
    while (chain_block_count(c) < CHAIN_BLOCKS_MAX)
        make_block(c);
    assert_int_equal(chain_block_at(c, 0)->height, 1);
    const chain_block last = *chain_tip(c);
    make_block(c);
    assert_in_range(chain_block_count(c), CHAIN_BLOCKS_MAX / 2, CHAIN_BLOCKS_MAX - 1);
    assert_int_equal(chain_tip(c)->height, CHAIN_BLOCKS_MAX + 1);
    assert_string_equal(chain_tip(c)->previous_hash, last.state_hash);
    assert_int_equal(chain_block_at(c, 0)->height, CHAIN_BLOCKS_MAX + 2 - chain_block_count(c));
}

static void an_empty_pool_makes_an_empty_block_with_another_hash(void **state)
{
    chain *c = *state;
    make_block(c);
    make_block(c);
    assert_int_equal(chain_block_count(c), 3);
    assert_int_equal(chain_tip(c)->count, 0);
    assert_string_not_equal(chain_tip(c)->state_hash, chain_block_at(c, 1)->state_hash);
}

int run_chain_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nonces_go_in_order_without_gaps, begin, end),
        cmocka_unit_test_setup_teardown(the_same_bytes_are_a_duplicate_while_pooled_and_a_nonce_error_once_included,
                                        begin, end),
        cmocka_unit_test_setup_teardown(another_payment_with_a_pooled_nonce_must_pay_more, begin, end),
        cmocka_unit_test_setup_teardown(what_is_pooled_counts_against_the_balance, begin, end),
        cmocka_unit_test_setup_teardown(a_payer_that_does_not_exist_is_named, begin, end),
        cmocka_unit_test_setup_teardown(fees_below_the_minimum_and_expired_payments_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(sums_beyond_64_bits_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_full_pool_takes_replacements_only, begin, end),
        cmocka_unit_test_setup_teardown(a_block_moves_amounts_and_takes_fees, begin, end),
        cmocka_unit_test_setup_teardown(a_payment_to_oneself_costs_the_fee_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_new_account_costs_one_mina_and_too_little_fails_in_the_block, begin, end),
        cmocka_unit_test_setup_teardown(what_expires_in_the_pool_is_dropped_with_all_that_follows_it, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_pool_makes_an_empty_block_with_another_hash, begin, end),
        cmocka_unit_test_setup_teardown(a_chain_that_grows_too_long_forgets_its_oldest_blocks, begin, end),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
