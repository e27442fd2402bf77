#include "allocation.h"

#include "redirect.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    PLACE_FRAMES =
        9, /* calls that tell one place from another: what a commit allocates is the same when it is tried again */
    PLACES_MAX = 65536, /* of all call stacks that have failed; a power of two */
    HOOK_FRAMES = 4,    /* at most, of a stack: ourselves */
    OBJECTS = 8,
};

typedef struct object {
    const char *name; /* as in redirect_calls */
    uint32_t owner;
    redirect_range range;
} object;

static object objects[OBJECTS] = {
    {"", ALLOCATION_OURS, {0, 0}},
    {"libjansson.so", ALLOCATION_JANSSON, {0, 0}},
    {"libprotobuf-c.so", ALLOCATION_PROTOBUF, {0, 0}},
    {"libpq.so", ALLOCATION_LIBPQ, {0, 0}},
    {"libnats.so", ALLOCATION_NATS, {0, 0}},
    {"libcurl.so", ALLOCATION_CURL, {0, 0}},
    {"libcrypto.so", ALLOCATION_CRYPTO, {0, 0}},
    {"libmicrohttpd.so", ALLOCATION_MICROHTTPD, {0, 0}},
};

static allocation_board own_board;
static allocation_board *board = &own_board;
static _Thread_local bool looking; /* at the stack, which may allocate */
static _Thread_local bool is_spared;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static uint64_t places[PLACES_MAX];                      /* those that have failed; 0: free */
static size_t place_count;
static int64_t last_failure_us;
static void *last_frames[ALLOCATION_FRAMES_MAX];
static int last_depth;

static const object *object_of(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    for (size_t i = 0; i < OBJECTS; i++)
        if (at >= objects[i].range.start && at < objects[i].range.end)
            return &objects[i];
    return NULL;
}

static uint32_t owner_of(const void *caller)
{
    const object *found = object_of(caller);
    return found == NULL ? 0 : found->owner;
}

/* FNV-1a of the return addresses as they lie in their objects, the same wherever these are loaded; never 0. */
static uint64_t hash_of(void *const *frames, int depth)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < depth; i++) {
        const object *found = object_of(frames[i]);
        uint64_t place =
            found == NULL ? 0 : ((uintptr_t)frames[i] - found->range.start) ^ ((uint64_t)found->owner << 56);
        hash = (hash ^ place) * UINT64_C(1099511628211);
    }
    return hash == 0 ? 1 : hash;
}

/* Where the place is, or would be, in the table. */
static size_t find_place(uint64_t hash)
{
    size_t at = hash % PLACES_MAX;
    while (places[at] != 0 && places[at] != hash)
        at = (at + 1) % PLACES_MAX;
    return at;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* With the lock held: a place that has not failed and whose turn it is. */
static bool is_due(uint64_t hash)
{
    size_t at = find_place(hash);
    if (places[at] != 0 || place_count >= PLACES_MAX / 2)
        return false;
    int64_t now = now_us();
    if (now - last_failure_us < board->pause_us) {
        board->pending++;
        return false;
    }
    places[at] = hash;
    place_count++;
    last_failure_us = now;
    board->pending = 0;
    return true;
}

/* With the lock held: nothing has failed in this program, and this place in none. */
static bool is_first(uint64_t hash)
{
    if (board->failed > 0 || board->known_count == ALLOCATION_KNOWN_MAX)
        return false;
    for (uint64_t i = 0; i < board->known_count; i++)
        if (board->known[i] == hash)
            return false;
    board->known[board->known_count++] = hash;
    return true;
}

/* For the reader of a failed test: which it was. */
static void tell(void *const *frames, int depth)
{
    static const char line[] = "allocation failed:\n";
    if (board == &own_board)
        return;
    (void)!write(STDERR_FILENO, line, sizeof(line) - 1);
    backtrace_symbols_fd(frames, depth, STDERR_FILENO);
}

static bool judge(void *const *frames, int depth)
{
    bool due = true;
    pthread_mutex_lock(&lock);
    if (board->mode == ALLOCATION_PLACES)
        due = is_due(hash_of(frames, depth < PLACE_FRAMES ? depth : PLACE_FRAMES));
    else if (board->mode == ALLOCATION_FIRST)
        due = is_first(hash_of(frames, depth < PLACE_FRAMES ? depth : PLACE_FRAMES));
    if (due) {
        board->failed++;
        last_depth = depth;
        memcpy(last_frames, frames, (size_t)depth * sizeof(void *));
        tell(frames, depth);
    }
    pthread_mutex_unlock(&lock);
    return due;
}

/* jansson allocates by a function that we lend it (base/memory.h). */
static uint32_t owner_of_stack(void *const *frames, int depth)
{
    uint32_t owner = depth > 0 ? owner_of(frames[0]) : 0;
    bool lent = owner == ALLOCATION_OURS && depth > 1 && owner_of(frames[1]) == ALLOCATION_JANSSON;
    return lent ? ALLOCATION_JANSSON : owner;
}

/* Whether an allocation that counts is to fail. */
static bool fails_here(void *const *frames, int depth)
{
    if ((owner_of_stack(frames, depth) & board->owners) == 0)
        return false;
    uint64_t number = ++board->passed;
    return (board->mode != ALLOCATION_NTH || number == board->target) && judge(frames, depth);
}

static bool fails(const void *caller)
{
    if (board->mode == ALLOCATION_NONE || looking || is_spared || owner_of(caller) == 0)
        return false;
    void *frames[ALLOCATION_FRAMES_MAX + HOOK_FRAMES];
    looking = true;
    int depth = backtrace(frames, ALLOCATION_FRAMES_MAX + HOOK_FRAMES);
    int first = 0;
    while (first < depth && frames[first] != caller) /* what lies before are we ourselves, and perhaps a sanitizer */
        first++;
    depth -= first;
    bool failing = fails_here(frames + first, depth < ALLOCATION_FRAMES_MAX ? depth : ALLOCATION_FRAMES_MAX);
    looking = false;
    if (failing)
        errno = ENOMEM;
    return failing;
}

/* In the program that calls. */
#define CALLER __builtin_return_address(0)

static void *try_malloc(size_t size)
{
    return fails(CALLER) ? NULL : malloc(size);
}

static void *try_calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : calloc(count, size);
}

static void *try_realloc(void *memory, size_t size)
{
    return fails(CALLER) ? NULL : realloc(memory, size);
}

static void *try_reallocarray(void *memory, size_t count, size_t size)
{
    return fails(CALLER) ? NULL : reallocarray(memory, count, size);
}

static int try_posix_memalign(void **ret, size_t alignment, size_t size)
{
    return fails(CALLER) ? ENOMEM : posix_memalign(ret, alignment, size);
}

static char *try_strdup(const char *text)
{
    return fails(CALLER) ? NULL : strdup(text);
}

static char *try_strndup(const char *text, size_t size)
{
    return fails(CALLER) ? NULL : strndup(text, size);
}

__attribute__((format(printf, 2, 0))) static int try_vasprintf(char **ret, const char *format, va_list args)
{
    return fails(CALLER) ? -1 : vasprintf(ret, format, args);
}

__attribute__((format(printf, 2, 3))) static int try_asprintf(char **ret, const char *format, ...)
{
    if (fails(CALLER))
        return -1;
    va_list args;
    va_start(args, format);
    int size = vasprintf(ret, format, args);
    va_end(args);
    return size;
}

/* What glibc makes of the two above in fortified code. */
__attribute__((format(printf, 3, 0))) static int try_vasprintf_chk(char **ret, int flag, const char *format,
                                                                   va_list args)
{
    (void)flag;
    return fails(CALLER) ? -1 : vasprintf(ret, format, args);
}

__attribute__((format(printf, 3, 4))) static int try_asprintf_chk(char **ret, int flag, const char *format, ...)
{
    (void)flag;
    if (fails(CALLER))
        return -1;
    va_list args;
    va_start(args, format);
    int size = vasprintf(ret, format, args);
    va_end(args);
    return size;
}

static void *try_sodium_malloc(size_t size)
{
    return fails(CALLER) ? NULL : sodium_malloc(size);
}

static FILE *try_fopen(const char *path, const char *mode)
{
    return fails(CALLER) ? NULL : fopen(path, mode);
}

static int try_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*body)(void *), void *ctx)
{
    return fails(CALLER) ? EAGAIN : pthread_create(ret, attributes, body, ctx);
}

static void map_board(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(allocation_board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped != MAP_FAILED)
        board = mapped;
}

__attribute__((constructor)) static void redirect_all(void)
{
    const redirect_function functions[] = {
        {"malloc", (uintptr_t)try_malloc},
        {"calloc", (uintptr_t)try_calloc},
        {"realloc", (uintptr_t)try_realloc},
        {"reallocarray", (uintptr_t)try_reallocarray},
        {"posix_memalign", (uintptr_t)try_posix_memalign},
        {"strdup", (uintptr_t)try_strdup},
        {"__strdup", (uintptr_t)try_strdup},
        {"strndup", (uintptr_t)try_strndup},
        {"vasprintf", (uintptr_t)try_vasprintf},
        {"asprintf", (uintptr_t)try_asprintf},
        {"__vasprintf_chk", (uintptr_t)try_vasprintf_chk},
        {"__asprintf_chk", (uintptr_t)try_asprintf_chk},
        {"sodium_malloc", (uintptr_t)try_sodium_malloc},
        {"fopen", (uintptr_t)try_fopen},
        {"pthread_create", (uintptr_t)try_pthread_create},
    };
    void *frame = NULL;
    (void)backtrace(&frame, 1); /* loads the unwinder now, and not in the middle of an allocation */
    const char *path = getenv(ALLOCATION_BOARD_VARIABLE);
    if (path != NULL)
        map_board(path);
    for (size_t i = 0; i < OBJECTS; i++)
        (void)redirect_calls(objects[i].name, functions, sizeof(functions) / sizeof(functions[0]), &objects[i].range);
}

allocation_board *allocation_own_board(void)
{
    return board;
}

void allocation_fail_nth(uint32_t owners, uint64_t n)
{
    board->owners = owners;
    board->target = n;
    board->passed = 0;
    board->failed = 0;
    board->mode = ALLOCATION_NTH;
}

void allocation_spare_this_thread(bool spared)
{
    is_spared = spared;
}

bool allocation_stop(void)
{
    board->mode = ALLOCATION_NONE;
    return board->failed > 0;
}

/* Of the sanitizers; they know lines where backtrace_symbols knows offsets. */
extern void __sanitizer_symbolize_pc(void *pc, const char *format, char *ret, size_t size) __attribute__((weak));

void allocation_print_place(FILE *out)
{
    for (int i = 0; i < last_depth; i++) {
        char text[512] = "?";
        if (__sanitizer_symbolize_pc != NULL)
            __sanitizer_symbolize_pc((char *)last_frames[i] - 1, "%f %s:%l", text, sizeof(text));
        fprintf(out, "    %s\n", text);
    }
}
