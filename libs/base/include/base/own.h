#pragma once
/* Ownership of locals: released at the end of scope unless taken. */
#include <stdlib.h>
#include <unistd.h>

/* Declares a local that `fn(&local)` releases when its scope ends, on every path. */
#define BASE_CLEANUP(fn) __attribute__((cleanup(fn##_at)))

/* Yields the pointer and leaves NULL behind: ownership moves to whoever takes the value. */
#define BASE_TAKE(ptr)                                                                                                 \
    ({                                                                                                                 \
        __typeof__(ptr) *base_take_from = &(ptr);                                                                      \
        __typeof__(ptr) base_taken = *base_take_from;                                                                  \
        *base_take_from = NULL;                                                                                        \
        base_taken;                                                                                                    \
    })

/* Makes BASE_CLEANUP(fn) work for `type *local`, given void fn(type *). */
#define BASE_CLEANUP_POINTER(type, fn)                                                                                 \
    static inline void fn##_at(type **local)                                                                           \
    {                                                                                                                  \
        fn(*local);                                                                                                    \
    }                                                                                                                  \
    struct base_cleanup_needs_semicolon

/* Makes BASE_CLEANUP(fn) work for `type local`, given void fn(type *). */
#define BASE_CLEANUP_VALUE(type, fn)                                                                                   \
    static inline void fn##_at(type *local)                                                                            \
    {                                                                                                                  \
        fn(local);                                                                                                     \
    }                                                                                                                  \
    struct base_cleanup_needs_semicolon

/* BASE_CLEANUP(free) for any heap pointer. */
static inline void free_at(void *local)
{
    free(*(void **)local);
}

/* BASE_CLEANUP(base_close) for a file descriptor; -1 is a no-op. */
static inline void base_close_at(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
