#pragma once
/* Looks for secrets wherever bytes can be read. Every failure to look fails the running test. */
#include "base/bytes.h"

#include <stdbool.h>
#include <sys/types.h>

enum { HUNT_NEEDLES_MAX = 64, HUNT_NEEDLE_MAX = 160, HUNT_NAME_MAX = 48 };

typedef struct hunt_needle {
    char name[HUNT_NAME_MAX];
    uint8_t bytes[HUNT_NEEDLE_MAX];
    size_t size;
} hunt_needle;

/* Zero is an empty one. */
typedef struct hunt {
    hunt_needle needles[HUNT_NEEDLES_MAX];
    size_t needle_count;
    size_t found; /* all of them were told on stderr, by name and place */
    size_t places, bytes;
} hunt;

/* Adds a secret as it is, in hex of both cases, and in base64. Copied. */
void hunt_add(hunt *h, const char *name, base_bytes secret);
void hunt_add_text(hunt *h, const char *name, const char *secret);

/* Searches a place; `control`, unless NULL, is something harmless that must be there: a place that is empty proves nothing.
 * Returns how many needles it holds, which are added to h->found. */
size_t hunt_in(hunt *h, const char *place, base_bytes hay, const char *control);
/* The same in a text that is freed. */
size_t hunt_in_text(hunt *h, const char *place, char *text, const char *control);
/* The same in a file of /proc or a folder. False: it may not be read. */
bool hunt_in_file(hunt *h, const char *path, const char *control);

/* What was found in the memory of a process. */
typedef struct hunt_memory {
    size_t locked; /* in mappings that are neither swapped nor dumped */
    size_t open;   /* anywhere else; told on stderr */
    size_t bytes;
} hunt_memory;
/* Reads all resident memory of a process (which goes on). Adds nothing to h->found. False: it may not be read. */
bool hunt_in_memory(const hunt *h, pid_t pid, hunt_memory *ret);
