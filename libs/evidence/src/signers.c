#include "evidence/signers.h"

#include "evidence/key.h"

#include <string.h>

static const char separators[] = ", \t\r\n";

static size_t count_words(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        text += strcspn(text, separators);
        count++;
    }
    return count;
}

static base_code parse_words(const char *text, evidence_public_key *keys, size_t count, base_error *err)
{
    for (size_t i = 0; i < count; i++) {
        text += strspn(text, separators);
        size_t length = strcspn(text, separators);
        base_code code = evidence_public_key_from_hex(base_bytes_of(text, length), &keys[i], err);
        if (code != BASE_OK && err != NULL)
            return base_fail_within(err, "signer %zu (%.12s…)", i + 1, text);
        if (code != BASE_OK)
            return code;
        text += length;
    }
    return BASE_OK;
}

base_code evidence_signers_parse(const char *text, evidence_signers *ret, base_error *err)
{
    size_t count = text == NULL ? 0 : count_words(text);
    if (count == 0) {
        if (text != NULL && strchr(text, ',') != NULL)
            return base_fail(err, BASE_INVALID,
                             "the list of signers has commas but no key: leave it empty for everyone");
        *ret = (evidence_signers){0};
        return BASE_OK;
    }
    if (count > EVIDENCE_SIGNERS_MAX)
        return base_fail(err, BASE_LIMIT, "%zu signers: at most %d", count, EVIDENCE_SIGNERS_MAX);
    BASE_CLEANUP(free) evidence_public_key *keys = calloc(count, sizeof(*keys));
    if (keys == NULL)
        return base_fail(err, BASE_NO_MEMORY, "no memory for %zu signers", count);
    base_code code = parse_words(text, keys, count, err);
    if (code == BASE_OK)
        *ret = (evidence_signers){BASE_TAKE(keys), count};
    return code;
}

base_code evidence_signers_allow(const evidence_signers *signers, const evidence_public_key *key, base_error *err)
{
    if (signers == NULL || signers->count == 0)
        return BASE_OK;
    for (size_t i = 0; i < signers->count; i++)
        if (memcmp(&signers->keys[i], key, sizeof(*key)) == 0)
            return BASE_OK;
    return base_fail(err, BASE_INVALID, "the signer %.16s… is not on the list of allowed signers",
                     evidence_public_key_hex(key).text);
}

void evidence_signers_done(evidence_signers *signers)
{
    if (signers == NULL)
        return;
    free(signers->keys);
    *signers = (evidence_signers){0};
}
