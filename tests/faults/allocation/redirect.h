#pragma once
/* Makes one loaded object (the program, or a shared library) call other functions than it was linked to. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct redirect_function {
    const char *name;
    uintptr_t target;
} redirect_function;

/* Where the object lies in memory. */
typedef struct redirect_range {
    uintptr_t start, end;
} redirect_range;

/* Overwrites the slots that the dynamic linker has filled with the addresses of these functions, and those only: every other
 * object goes on calling what it called. `object` is the start of the file's name ("libpq.so"), "" the program. False: no such
 * object is loaded. Linux on 64 bits; x86-64 and AArch64. Before any other thread exists. */
bool redirect_calls(const char *object, const redirect_function *functions, size_t count, redirect_range *ret);
