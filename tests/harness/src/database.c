#include "harness/postgres_server.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <stdio.h>
#include <string.h>

#define QUERY_MS 60000

static harness_database name_database(const harness_postgres *server, const char *name)
{
    harness_database database;
    snprintf(database.url, sizeof(database.url), "postgresql://proofline@127.0.0.1:%u/%s",
             harness_postgres_port(server), name);
    return database;
}

harness_database harness_database_new(harness_postgres *server)
{
    static int count;
    char name[32];
    char statement[64];
    snprintf(name, sizeof(name), "test_%d", ++count);
    snprintf(statement, sizeof(statement), "CREATE DATABASE %s", name);
    harness_database maintenance = name_database(server, "postgres");
    free(harness_database_query(&maintenance, statement));
    return name_database(server, name);
}

char *harness_database_query(const harness_database *database, const char *sql)
{
    const char *argv[] = {"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database->url, "-c", sql, NULL};
    char *output = NULL;
    char *errors = NULL;
    int code = harness_run(argv, NULL, QUERY_MS, &output, &errors);
    if (code != 0)
        harness_fail("psql ended with %d on: %s\n%.2000s", code, sql, errors);
    free(errors);
    size_t length = strlen(output);
    if (length > 0 && output[length - 1] == '\n')
        output[length - 1] = '\0';
    return output;
}
