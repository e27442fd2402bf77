#include "remains.h"

#include "harness/http.h"

#include <stdio.h>
#include <string.h>

enum { COPY_MS = 60000, PATH_LENGTH_MAX = 512 };

static void copy(const char *const *argv)
{
    BASE_CLEANUP(free) char *errors = NULL;
    if (harness_run(argv, NULL, COPY_MS, NULL, &errors) != 0)
        printf("%s: %s\n", argv[0], errors);
}

static void keep_chain(world *w, const char *folder)
{
    char path[PATH_LENGTH_MAX];
    snprintf(path, sizeof(path), "%s/chain.json", folder);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(w->node_port, "/control/chain");
    FILE *file = reply.status == 200 ? fopen(path, "we") : NULL;
    if (file == NULL)
        return;
    fputs(reply.body, file);
    fclose(file);
}

void remains_keep(world *w, const char *folder)
{
    char database[PATH_LENGTH_MAX];
    snprintf(database, sizeof(database), "--file=%s/database.sql", folder);
    copy((const char *[]){"rm", "-rf", "--", folder, NULL});
    copy((const char *[]){"mkdir", "-p", "--", folder, NULL});
    copy((const char *[]){"cp", "-r", "--", w->folder.text, folder, NULL});
    copy((const char *[]){"pg_dump", database, w->database.url, NULL});
    keep_chain(w, folder);
    printf("logs, rows and chain are kept in %s\n", folder);
}
