#include "prover/prover.h"

#include "prover/driver.h"
#include "prover/null.h"
#include "prover/sok.h"

#include <string.h>

/* Every format that this build can check. */
static const struct known_format {
    const char *name;
    base_code (*verify)(const prover_claim *claim, base_bytes blob, base_error *err);
} formats[] = {
    {PROVER_SOK_FORMAT, prover_sok_verify},
#ifdef PROOFLINE_BENCH
    {PROVER_NULL_FORMAT, prover_null_verify},
#endif
};

prover_claim prover_statement_claim(const prover_statement *statement)
{
    return (prover_claim){.hash = statement->hash, .public_key = statement->public_key};
}

const char *prover_format(const struct prover *prover)
{
    return prover->driver->format;
}

base_code prover_prove(struct prover *prover, const prover_statement *statement, base_buffer *ret_blob, base_error *err)
{
    if (atomic_load(&prover->cancelled))
        return base_fail(err, BASE_CANCELLED, "the prover was told to stop");
    base_code code = evidence_witness_check(&statement->witness, &statement->hash, err);
    return code == BASE_OK ? prover->driver->prove(prover, statement, ret_blob, err) : code;
}

void prover_cancel(struct prover *prover)
{
    atomic_store(&prover->cancelled, true);
    if (prover->driver->cancel != NULL)
        prover->driver->cancel(prover);
}

void prover_free(struct prover *prover)
{
    if (prover != NULL)
        prover->driver->free(prover);
}

base_code prover_verify(const char *format, const prover_claim *claim, base_bytes blob, base_error *err)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].verify(claim, blob, err);
    return base_fail(err, BASE_NOT_FOUND, "no verifier for proofs of the format \"%.*s\"", PROVER_FORMAT_MAX, format);
}
