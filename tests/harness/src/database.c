#include "harness/postgres_server.h"

#include "harness/folder.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <stdio.h>
#include <string.h>

#define QUERY_MS        60000
#define PASSWORD_IN_URL "Secret%40Postgres_7Vq9"

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

harness_database harness_database_as_service(const harness_database *database, const char *roles_file)
{
    const char *argv[] = {"psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database->url, "-f", roles_file, NULL};
    BASE_CLEANUP(free) char *errors = NULL;
    if (harness_run(argv, NULL, QUERY_MS, NULL, &errors) != 0)
        harness_fail("%s: %.2000s", roles_file, errors);
    free(harness_database_query(database, "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'worker') "
                                          "THEN CREATE ROLE worker LOGIN PASSWORD '" HARNESS_SERVICE_PASSWORD
                                          "' IN ROLE proofline_service; END IF; END$$"));
    harness_database service;
    const char *address = strrchr(database->url, '@');
    if (address == NULL)
        harness_fail("%s has no user", database->url);
    snprintf(service.url, sizeof(service.url), "postgresql://worker:%s%s", PASSWORD_IN_URL, address);
    return service;
}

const char *harness_postgres_password_config(void)
{
    static char line[HARNESS_PATH_MAX + 16];
    harness_path folder = harness_folder_new("hba");
    harness_path file = harness_path_in(&folder, "pg_hba.conf");
    harness_file_write(&file, "host all proofline 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    snprintf(line, sizeof(line), "hba_file = '%s'", file.text);
    return line;
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
