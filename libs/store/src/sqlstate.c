#include "sqlstate.h"

#include <string.h>

typedef struct sqlstate_class {
    const char *prefix; /* the first that matches decides */
    base_code code;
} sqlstate_class;

static const sqlstate_class CLASSES[] = {
    {"08", BASE_UNAVAILABLE},    /* connection exception */
    {"0A000", BASE_UNAVAILABLE}, /* a cached plan outlived a migration: the connection is replaced */
    {"26", BASE_UNAVAILABLE},    /* a prepared statement is gone: the same */
    {"22", BASE_INVALID},        /* data exception */
    {"23505", BASE_CONFLICT},    /* unique violation */
    {"23", BASE_INVALID},        /* other constraints */
    {"25006", BASE_UNAVAILABLE}, /* read only: a standby, for now */
    {"25P03", BASE_UNAVAILABLE}, /* idle in transaction for too long */
    {"28", BASE_DENIED},         /* invalid authorization */
    {"42501", BASE_DENIED},      /* insufficient privilege */
    {"3D000", BASE_UNAVAILABLE}, /* no such database, yet */
    {"3F000", BASE_UNPREPARED},  /* no such schema */
    {"40", BASE_UNAVAILABLE},    /* serialization failure, deadlock */
    {"42P01", BASE_UNPREPARED},  /* no such table */
    {"42703", BASE_UNPREPARED},  /* no such column */
    {"42704", BASE_UNPREPARED},  /* no such object */
    {"53", BASE_UNAVAILABLE},    /* disk full, out of memory, too many connections */
    {"55P03", BASE_UNAVAILABLE}, /* lock timeout */
    {"57", BASE_UNAVAILABLE},    /* statement timeout, shutting down, starting up */
    {"58", BASE_UNAVAILABLE},    /* the server's disk or system failed */
};

base_code store_sqlstate_code(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return BASE_UNAVAILABLE;
    for (size_t i = 0; i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++) {
        if (strncmp(sqlstate, CLASSES[i].prefix, strlen(CLASSES[i].prefix)) == 0)
            return CLASSES[i].code;
    }
    return BASE_INTERNAL;
}
