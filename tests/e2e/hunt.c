#include "hunt.h"

#include "base/hex.h"
#include "base/own.h"
#include "harness/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1 << 28, LINE_MAX_BYTES = 4096, CHUNK = 1 << 20 };
#define MAPPING_MAX (1ULL << 30) /* larger ones are the shadow memory of a sanitizer */

static void add(hunt *h, const char *name, const char *form, const void *bytes, size_t size)
{
    if (h->needle_count == HUNT_NEEDLES_MAX || size > HUNT_NEEDLE_MAX || size == 0)
        harness_fail("no room for the needle %s %s", name, form);
    hunt_needle *needle = &h->needles[h->needle_count++];
    snprintf(needle->name, sizeof(needle->name), "%s%s", name, form);
    memcpy(needle->bytes, bytes, size);
    needle->size = size;
}

void hunt_add(hunt *h, const char *name, base_bytes secret)
{
    char hex[2 * HUNT_NEEDLE_MAX + 1];
    if (2 * secret.size > HUNT_NEEDLE_MAX)
        harness_fail("the needle %s is too long", name);
    add(h, name, "", secret.data, secret.size);
    base_hex_encode(secret, hex);
    add(h, name, " in hex", hex, 2 * secret.size);
    for (char *at = hex; *at != '\0'; at++)
        if (*at >= 'a')
            *at = (char)(*at - 'a' + 'A');
    add(h, name, " in HEX", hex, 2 * secret.size);
    char base64[HUNT_NEEDLE_MAX + 1];
    size_t whole = secret.size / 3 * 3; /* the rest depends on what follows */
    sodium_bin2base64(base64, sizeof(base64), secret.data, whole, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    add(h, name, " in base64", base64, strlen(base64));
}

void hunt_add_text(hunt *h, const char *name, const char *secret)
{
    hunt_add(h, name, base_bytes_of(secret, strlen(secret)));
}

static bool contains(base_bytes hay, const void *needle, size_t size)
{
    return hay.size >= size && memmem(hay.data, hay.size, needle, size) != NULL;
}

size_t hunt_in(hunt *h, const char *place, base_bytes hay, const char *control)
{
    size_t found = 0;
    for (size_t i = 0; i < h->needle_count; i++) {
        if (!contains(hay, h->needles[i].bytes, h->needles[i].size))
            continue;
        fprintf(stderr, "%s holds %s\n", place, h->needles[i].name);
        found++;
    }
    if (control != NULL && !contains(hay, control, strlen(control)))
        harness_fail("%s does not even hold \"%s\": %.*s", place, control, hay.size > 2000 ? 2000 : (int)hay.size,
                     (const char *)hay.data);
    h->found += found;
    h->places++;
    h->bytes += hay.size;
    return found;
}

size_t hunt_in_text(hunt *h, const char *place, char *text, const char *control)
{
    BASE_CLEANUP(free) char *owned = text;
    return hunt_in(h, place, base_bytes_of(owned, strlen(owned)), control);
}

bool hunt_in_file(hunt *h, const char *path, const char *control)
{
    base_error err = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer content = {.limit = FILE_MAX};
    base_code code = base_file_read(path, &content, &err);
    if (code == BASE_DENIED)
        return false;
    if (code != BASE_OK)
        harness_fail("%s", err.message);
    hunt_in(h, path, base_buffer_view(&content), control);
    return true;
}

/* One mapping of /proc/PID/smaps. */
typedef struct mapping {
    unsigned long long from, to, resident_kb;
    char name[128];
    bool is_hidden; /* locked and left out of core dumps */
} mapping;

static void search_mapping(const hunt *h, int memory, const mapping *m, hunt_memory *ret)
{
    BASE_CLEANUP(free) uint8_t *chunk = malloc(CHUNK + HUNT_NEEDLE_MAX);
    if (chunk == NULL)
        harness_fail("out of memory");
    for (unsigned long long at = m->from; at < m->to; at += CHUNK) {
        size_t wanted = m->to - at < CHUNK + HUNT_NEEDLE_MAX ? (size_t)(m->to - at) : CHUNK + HUNT_NEEDLE_MAX;
        ssize_t got = pread(memory, chunk, wanted, (off_t)at);
        if (got <= 0)
            continue; /* a guard page */
        ret->bytes += (size_t)got;
        for (size_t i = 0; i < h->needle_count; i++) {
            if (!contains(base_bytes_of(chunk, (size_t)got), h->needles[i].bytes, h->needles[i].size))
                continue;
            ret->locked += m->is_hidden;
            ret->open += !m->is_hidden;
            if (!m->is_hidden)
                fprintf(stderr, "memory %llx-%llx %s holds %s\n", m->from, m->to, m->name, h->needles[i].name);
        }
    }
}

bool hunt_in_memory(const hunt *h, pid_t pid, hunt_memory *ret)
{
    char path[64], line[LINE_MAX_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    BASE_CLEANUP(base_close) int memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    FILE *maps = memory < 0 ? NULL : fopen(path, "re");
    if (maps == NULL)
        return false;
    *ret = (hunt_memory){0};
    mapping m = {0};
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long long from, to;
        int name = 0;
        if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %n", &from, &to, &name) == 2) {
            m = (mapping){.from = from, .to = to};
            snprintf(m.name, sizeof(m.name), "%.*s", (int)strcspn(line + name, "\n"), line + name);
        }
        (void)sscanf(line, "Rss: %llu kB", &m.resident_kb);
        if (strncmp(line, "VmFlags:", 8) != 0)
            continue;
        m.is_hidden = strstr(line, " dd") != NULL && strstr(line, " lo") != NULL;
        if (m.resident_kb > 0 && m.to - m.from < MAPPING_MAX)
            search_mapping(h, memory, &m, ret);
    }
    fclose(maps);
    return true;
}
