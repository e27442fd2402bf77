#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

mina_secret_key keys[KEYS];

void keys_make(void)
{
    for (int i = 0; i < KEYS; i++)
        if (mina_secret_key_generate(&keys[i], NULL) != BASE_OK)
            abort();
}

void keys_release(void)
{
    for (int i = 0; i < KEYS; i++)
        mina_secret_key_done(&keys[i]);
}

mina_payment payment_of(int from, int to, uint32_t nonce)
{
    mina_payment payment = {
        .from = keys[from].public_key,
        .to = keys[to].public_key,
        .amount = MINA_NANOMINA,
        .fee = MINA_NANOMINA / 100,
        .nonce = nonce,
        .valid_until = UINT32_MAX,
    };
    assert_int_equal(mina_memo_of(base_bytes_of("hello", 5), &payment.memo, NULL), BASE_OK);
    return payment;
}

chain_transaction transaction_of(const mina_payment *payment, int signer)
{
    chain_transaction transaction = {.payment = *payment, .hash = mina_payment_hash(payment)};
    assert_int_equal(mina_payment_sign(payment, MINA_DEVNET, &keys[signer], &transaction.signature, NULL), BASE_OK);
    return transaction;
}
