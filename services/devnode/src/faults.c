#include "devnode/faults.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define FOR_EVER (-1)
#define CHANCES  1000000

typedef struct fault {
    fault_kind kind;
    int64_t delay_ms;
    int64_t left;    /* requests that it still strikes, or FOR_EVER */
    uint32_t chance; /* of CHANCES */
    int64_t blocks;
    fault_scope scope; /* FAULTS_ON_OTHER: all requests */
    char text[FAULTS_TEXT_MAX];
} fault;

struct faults {
    pthread_mutex_t lock;
    fault list[FAULTS_MAX];
    size_t count;
};

static const char *const KINDS[] = {
    [FAULT_NONE] = "",
    [FAULT_REFUSE] = "refuse",
    [FAULT_HTTP_503] = "http_503",
    [FAULT_HTTP_429] = "http_429",
    [FAULT_DROP_REPLY] = "drop_reply",
    [FAULT_DELAY] = "delay",
    [FAULT_ERROR] = "error",
    [FAULT_LATE_ERROR] = "late_error",
    [FAULT_LAG] = "lag",
};
static const char *const SCOPES[] = {
    [FAULTS_ON_OTHER] = "all", [FAULTS_ON_SEND] = "send", [FAULTS_ON_LOOKUP] = "lookup"};
enum { SCOPE_COUNT = sizeof(SCOPES) / sizeof(SCOPES[0]) };

faults *faults_new(void)
{
    faults *f = calloc(1, sizeof(*f));
    if (f != NULL)
        pthread_mutex_init(&f->lock, NULL);
    return f;
}

void faults_free(faults *f)
{
    if (f == NULL)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static fault_kind kind_of(const char *name)
{
    for (size_t i = FAULT_NONE + 1; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (strcmp(KINDS[i], name) == 0)
            return (fault_kind)i;
    return FAULT_NONE;
}

/* SCOPE_COUNT: none of that name. */
static size_t scope_of(const char *name)
{
    size_t at = 0;
    while (at < SCOPE_COUNT && strcmp(SCOPES[at], name) != 0)
        at++;
    return at;
}

static base_code read_text(const char *text, fault *ret, base_error *err)
{
    size_t length = strlen(text);
    if (length >= sizeof(ret->text))
        return base_fail(err, BASE_INVALID, "a fault's text has at most %zu bytes", sizeof(ret->text) - 1);
    memcpy(ret->text, text, length + 1);
    return BASE_OK;
}

static base_code check(const fault *f, const char *on, double probability, base_error *err)
{
    if (f->kind == FAULT_NONE)
        return base_fail(err, BASE_INVALID,
                         "\"kind\" is refuse, http_503, http_429, drop_reply, delay, error, late_error or "
                         "lag");
    if (scope_of(on) == SCOPE_COUNT)
        return base_fail(err, BASE_INVALID, "\"on\" is send, lookup or all");
    if (f->blocks < 0 || f->blocks > FAULTS_BLOCKS_MAX)
        return base_fail(err, BASE_INVALID, "\"blocks\" lies between 0 and %d", FAULTS_BLOCKS_MAX);
    if (!(probability >= 0 && probability <= 1))
        return base_fail(err, BASE_INVALID, "\"probability\" lies between 0 and 1");
    if (f->left != FOR_EVER && f->left < 1)
        return base_fail(err, BASE_INVALID, "\"next\" is at least 1");
    if (f->delay_ms < (f->kind == FAULT_DELAY) || f->delay_ms > FAULTS_DELAY_MAX_MS)
        return base_fail(err, BASE_INVALID, "\"delay_ms\" lies between 1 and %d", FAULTS_DELAY_MAX_MS);
    if ((f->kind == FAULT_ERROR || f->kind == FAULT_LATE_ERROR) && f->text[0] == '\0')
        return base_fail(err, BASE_INVALID, "an error needs its \"text\"");
    return BASE_OK;
}

static base_code read_fault(const json_t *wanted, fault *ret, base_error *err)
{
    const char *kind = "";
    const char *text = "";
    const char *on = "send";
    double probability = 1;
    json_int_t delay_ms = 0;
    json_int_t next = FOR_EVER;
    json_int_t blocks = 0;
    json_error_t why;
    if (json_unpack_ex((json_t *)wanted, &why, JSON_STRICT, "{s:s, s?s, s?s, s?I, s?I, s?I, s?F}", "kind", &kind,
                       "text", &text, "on", &on, "delay_ms", &delay_ms, "blocks", &blocks, "next", &next, "probability",
                       &probability) != 0)
        return base_fail(err, BASE_INVALID, "no fault: %.150s", why.text);
    *ret = (fault){
        .kind = kind_of(kind),
        .delay_ms = delay_ms,
        .left = next,
        .blocks = blocks,
    };
    base_code code = read_text(text, ret, err);
    if (code == BASE_OK)
        code = check(ret, on, probability, err);
    if (code == BASE_OK)
        ret->scope = (fault_scope)scope_of(on);
    if (code == BASE_OK)
        ret->chance = (uint32_t)(probability * CHANCES + 0.5);
    return code;
}

base_code faults_add(faults *f, const json_t *wanted, base_error *err)
{
    fault added;
    base_code code = read_fault(wanted, &added, err);
    if (code != BASE_OK)
        return code;
    pthread_mutex_lock(&f->lock);
    if (f->count == FAULTS_MAX)
        code = base_fail(err, BASE_LIMIT, "%d faults are set already", FAULTS_MAX);
    else
        f->list[f->count++] = added;
    pthread_mutex_unlock(&f->lock);
    return code;
}

void faults_clear(faults *f)
{
    pthread_mutex_lock(&f->lock);
    f->count = 0;
    pthread_mutex_unlock(&f->lock);
}

static bool strikes(fault *f, fault_scope scope)
{
    if ((f->scope != FAULTS_ON_OTHER && f->scope != scope) || f->left == 0 || randombytes_uniform(CHANCES) >= f->chance)
        return false;
    if (f->left != FOR_EVER)
        f->left--;
    return true;
}

static void remove_spent(faults *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].left != 0)
            f->list[kept++] = f->list[i];
    f->count = kept;
}

fault_strike faults_draw(faults *f, fault_scope scope)
{
    fault_strike strike = {.kind = FAULT_NONE};
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->count && strike.kind == FAULT_NONE; i++) {
        fault *candidate = &f->list[i];
        if (!strikes(candidate, scope))
            continue;
        strike.delay_ms += candidate->delay_ms;
        if (candidate->kind == FAULT_DELAY)
            continue;
        strike.kind = candidate->kind;
        strike.blocks = candidate->blocks;
        memcpy(strike.text, candidate->text, sizeof(strike.text));
    }
    remove_spent(f);
    pthread_mutex_unlock(&f->lock);
    return strike;
}

json_t *faults_list(faults *f)
{
    json_t *list = json_array();
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->count; i++) {
        const fault *one = &f->list[i];
        json_t *left = one->left == FOR_EVER ? json_null() : json_integer(one->left);
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:o, s:f, s:s}", "kind", KINDS[one->kind], "text",
                                              one->text, "delay_ms", (json_int_t)one->delay_ms, "blocks",
                                              (json_int_t)one->blocks, "next", left, "probability",
                                              (double)one->chance / CHANCES, "on", SCOPES[one->scope]));
    }
    pthread_mutex_unlock(&f->lock);
    return list;
}
