#include "ledger/anchor.h"

#include <sodium.h>

static const char DOMAIN[] = "proofline-anchor-v1";

enum { DIGEST_SIZE = 24 };

_Static_assert(sodium_base64_ENCODED_LEN(DIGEST_SIZE, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == sizeof(ledger_memo),
               "24 bytes are 32 characters of base64url");

ledger_memo ledger_anchor_memo(const base_sha256 *image, const base_digest *proof)
{
    uint8_t digest[DIGEST_SIZE];
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
    crypto_generichash_update(&hash, (const uint8_t *)DOMAIN, sizeof(DOMAIN) - 1);
    crypto_generichash_update(&hash, image->bytes, sizeof(image->bytes));
    crypto_generichash_update(&hash, proof->bytes, sizeof(proof->bytes));
    crypto_generichash_final(&hash, digest, sizeof(digest));
    ledger_memo memo;
    sodium_bin2base64(memo.text, sizeof(memo.text), digest, sizeof(digest), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return memo;
}
