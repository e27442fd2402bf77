#pragma once
/* An HTTP server in a thread of the test that follows a script, also where no honest server would go. */
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

#define SCRIPT_REQUEST_MAX 65536 /* bytes of a request with its head */

typedef enum script_act {
    SCRIPT_ANSWER,            /* status and body, the connection stays open */
    SCRIPT_ANSWER_THEN_CLOSE, /* as above, and closes without having announced it */
    SCRIPT_CLOSE,             /* reads the whole request, then closes without a word */
    SCRIPT_CUT,               /* answers with half of the body, then closes */
    SCRIPT_SILENCE,           /* reads the request and never answers */
    SCRIPT_FLOOD,             /* answers without end */
    SCRIPT_HANG_UP,           /* closes at once when the connection comes in, having read nothing */
} script_act;

typedef struct script_step {
    script_act act;
    int status;
    const char *body;
} script_step;

typedef struct script_server script_server;

/* Each request (or connection, for SCRIPT_HANG_UP) takes one step; the last one repeats. The steps are borrowed until freed. Listens on
 * 127.0.0.1; fails the test when it cannot. */
script_server *script_server_new(const script_step *steps, size_t count);
void script_server_free(script_server *server); /* ends its thread; NULL is a no-op */
BASE_CLEANUP_POINTER(script_server, script_server_free);

uint16_t script_server_port(const script_server *server);
/* Requests that were read in full. */
int script_server_requests(script_server *server);
/* Connections that came in, and that were closed by the server. */
int script_server_connections(script_server *server);
int script_server_closed(script_server *server);
/* Head and body of the last request; the caller frees it. */
char *script_server_last(script_server *server);
