#pragma once
/* Migration files: their names, and the two sections of each. */
#include "base/bytes.h"

#define STORE_MIGRATION_BYTES 1000000 /* of one file */
#define STORE_MIGRATIONS_MAX  1000
#define STORE_NAME_MAX        128

typedef struct store_section {
    base_bytes sql;
    bool transaction; /* false: `transaction:false` stood behind the marker */
} store_section;

/* Cuts the first statement off *rest, for sections outside a transaction: Postgres would run several that come at once in one. A
 * statement reaches to the end of the first line that ends with `;`, the last one to the end. False: only blanks are left. */
bool store_section_next(base_bytes *rest, base_bytes *ret);

typedef struct store_migration {
    char version[STORE_NAME_MAX]; /* the digits before the first underscore */
    char name[STORE_NAME_MAX];    /* the rest, without .sql */
    base_buffer text;
    store_section up, down; /* point into text */
} store_migration;
void store_migration_done(store_migration *migration);

/* Splits "0001_submissions.sql". False when a file name is not of that form. */
bool store_migration_parse_name(const char *file, store_migration *ret);
/* Finds the sections in ret->text. BASE_INVALID names the file: no up section, markers twice or in the wrong order. */
BASE_MUST_CHECK base_code store_migration_parse(const char *file, store_migration *ret, base_error *err);

/* All migrations of a folder, by rising version. */
typedef struct store_migrations {
    store_migration *items;
    size_t count;
} store_migrations;
void store_migrations_done(store_migrations *migrations);
BASE_CLEANUP_VALUE(store_migrations, store_migrations_done);
/* BASE_NOT_FOUND: no such folder. BASE_INVALID: a .sql file that is no migration, or two with one version. */
BASE_MUST_CHECK base_code store_migrations_read(const char *directory, store_migrations *ret, base_error *err);
