#include "harness/folder.h"
#include "harness/http.h"
#include "harness/nats_server.h"
#include "harness/port.h"
#include "harness/postgres_server.h"
#include "harness/process.h"
#include "harness/wait.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000

static harness_postgres *postgres;

static int start_postgres(void **state)
{
    (void)state;
    postgres = harness_postgres_new(NULL);
    return 0;
}

static int end_postgres(void **state)
{
    (void)state;
    harness_postgres_free(postgres);
    return 0;
}

static void a_process_hands_back_its_output_and_exit_code(void **state)
{
    (void)state;
    BASE_CLEANUP(free) char *output = NULL;
    BASE_CLEANUP(free) char *errors = NULL;
    const char *argv[] = {"sh", "-c", "echo \"$GREETING\"; echo lost >&2; exit 7", NULL};
    const char *environment[] = {"GREETING=hello", NULL};
    assert_int_equal(harness_run(argv, environment, DEADLINE_MS, &output, &errors), 7);
    assert_string_equal(output, "hello\n");
    assert_string_equal(errors, "lost\n");
}

static bool has_begun_its_line(void *process)
{
    BASE_CLEANUP(free) char *output = harness_process_output(process);
    return strcmp(output, "port ") == 0;
}

static void a_line_is_awaited_without_polling_and_only_when_whole(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "printf 'port '; read -r go; echo 17; read -r more", NULL};
    harness_path folder = harness_folder_new("input");
    harness_path fifo = harness_path_in(&folder, "fifo");
    const char *make[] = {"mkfifo", fifo.text, NULL};
    assert_int_equal(harness_run(make, NULL, DEADLINE_MS, NULL, NULL), 0);
    FILE *writer = fopen(fifo.text, "r+e");
    assert_non_null(writer);
    BASE_CLEANUP(harness_process_free)
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv, .input = fifo.text});
    assert_true(harness_wait_until(has_begun_its_line, process, DEADLINE_MS));
    assert_null(harness_process_wait_line(process, "port", 100));
    fputs("go\n", writer);
    fflush(writer);
    BASE_CLEANUP(free) char *line = harness_process_wait_line(process, "port", DEADLINE_MS);
    assert_string_equal(line, "port 17");
    assert_true(harness_process_running(process));
    harness_process_mark(process);
    assert_null(harness_process_wait_line(process, "port", 50));
    fclose(writer);
}

static void a_killed_process_reports_its_signal(void **state)
{
    (void)state;
    const char *argv[] = {"sleep", "600", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    assert_int_equal(harness_process_wait(process, 20), -1);
    harness_process_signal(process, SIGTERM);
    assert_int_equal(harness_process_wait(process, DEADLINE_MS), 128 + SIGTERM);
    assert_false(harness_process_running(process));
}

/* Also true for a zombie, which a container without an init process never buries: its command line is empty. */
static bool is_gone(void *pid)
{
    char path[64];
    char first;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)*(pid_t *)pid);
    BASE_CLEANUP(base_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || read(fd, &first, 1) <= 0;
}

static bool is_removed(void *path)
{
    return access(((harness_path *)path)->text, F_OK) != 0;
}

/* Plays a test program that crashes: this very program, started again, tells what it made and is killed. */
static void children_and_folders_go_away_when_a_test_crashes(void **state)
{
    (void)state;
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    assert_true(length > 0);
    self[length] = '\0';
    const char *argv[] = {self, "--crash", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *victim = harness_process_new(&(harness_process_options){.argv = argv});
    BASE_CLEANUP(free) char *line = harness_process_wait_line(victim, "made", DEADLINE_MS);
    assert_non_null(line);
    char *rest;
    pid_t child = (pid_t)strtol(line + strlen("made "), &rest, 10);
    harness_path folder;
    snprintf(folder.text, sizeof(folder.text), "%s", rest + 1);
    assert_int_equal(access(folder.text, F_OK), 0);
    harness_process_signal(victim, SIGKILL);
    assert_int_equal(harness_process_wait(victim, DEADLINE_MS), 128 + SIGKILL);
    assert_true(harness_wait_until(is_gone, &child, DEADLINE_MS));
    assert_true(harness_wait_until(is_removed, &folder, DEADLINE_MS));
}

static int make_things_and_wait(void)
{
    harness_path folder = harness_folder_new("victim");
    const char *argv[] = {"sleep", "600", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    printf("made %d %s\n", (int)harness_process_pid(process), folder.text);
    fflush(stdout);
    pause();
    return 0;
}

static void nats_comes_back_on_its_port_with_its_configuration(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new("http: \"127.0.0.1:0\"\n");
    uint16_t port = harness_nats_port(server);
    pid_t first = harness_nats_pid(server);
    harness_nats_kill(server);
    assert_int_not_equal(kill(first, 0), 0);
    uint16_t monitoring = harness_free_port();
    char config[64];
    snprintf(config, sizeof(config), "http: \"127.0.0.1:%u\"\n", monitoring);
    harness_nats_configure(server, config);
    harness_nats_start(server);
    assert_int_equal(harness_nats_port(server), port);
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(monitoring, "/jsz");
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"streams\""));
}

static char process_state(pid_t pid)
{
    char path[64];
    char text[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    BASE_CLEANUP(base_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    return strrchr(text, ')')[2];
}

static void a_paused_process_stands_still_at_once(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "while :; do :; done", NULL};
    BASE_CLEANUP(harness_process_free)
    harness_process *process = harness_process_new(&(harness_process_options){.argv = argv});
    for (int i = 0; i < 20; i++) {
        harness_process_pause(process);
        assert_int_equal(process_state(harness_process_pid(process)), 'T');
        assert_true(harness_process_running(process));
        harness_process_resume(process);
        assert_int_not_equal(process_state(harness_process_pid(process)), 'T');
    }
}

static void nats_can_be_paused_wiped_and_stopped(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_nats_free) harness_nats *server = harness_nats_new(NULL);
    harness_nats_pause(server);
    harness_nats_resume(server);
    harness_nats_stop(server);
    harness_nats_stop(server);
    harness_nats_wipe(server);
    harness_nats_start(server);
    assert_int_equal(kill(harness_nats_pid(server), 0), 0);
    harness_nats_restart(server);
}

static void each_test_gets_its_own_database(void **state)
{
    (void)state;
    harness_database first = harness_database_new(postgres);
    harness_database second = harness_database_new(postgres);
    free(harness_database_query(&first, "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b"));
    BASE_CLEANUP(free) char *rows = harness_database_query(&first, "SELECT a, b FROM t");
    assert_string_equal(rows, "1|x");
    BASE_CLEANUP(free) char *none = harness_database_query(&second, "SELECT to_regclass('t') IS NULL");
    assert_string_equal(none, "t");
}

static void postgres_keeps_its_data_through_every_kind_of_stop(void **state)
{
    (void)state;
    harness_database database = harness_database_new(postgres);
    free(harness_database_query(&database, "CREATE TABLE kept (n int)"));
    uint16_t port = harness_postgres_port(postgres);
    static const harness_postgres_stop_mode MODES[] = {HARNESS_POSTGRES_FAST, HARNESS_POSTGRES_IMMEDIATE,
                                                       HARNESS_POSTGRES_KILL};
    for (size_t i = 0; i < 3; i++) {
        free(harness_database_query(&database, "INSERT INTO kept VALUES (1)"));
        harness_postgres_restart(postgres, MODES[i]);
    }
    assert_int_equal(harness_postgres_port(postgres), port);
    BASE_CLEANUP(free) char *count = harness_database_query(&database, "SELECT count(*) FROM kept");
    assert_string_equal(count, "3");
    BASE_CLEANUP(free) char *durable = harness_database_query(&database, "SHOW fsync");
    assert_string_equal(durable, "on");
}

static bool can_listen(uint16_t port, bool as_server)
{
    const int reuse = as_server;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BASE_CLEANUP(base_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)), 0);
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
}

/* Another program asks for ports as this one does: without SO_REUSEADDR. */
static void a_port_belongs_to_its_program_before_and_after_a_server_has_it(void **state)
{
    (void)state;
    uint16_t port = harness_free_port();
    for (int i = 0; i < 2; i++) {
        assert_false(can_listen(port, false));
        assert_true(can_listen(port, true));
    }
}

static void no_answer_is_status_zero(void **state)
{
    (void)state;
    BASE_CLEANUP(harness_http_reply_done) harness_http_reply reply = harness_http_get(harness_free_port(), "/");
    assert_int_equal(reply.status, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--crash") == 0)
        return make_things_and_wait();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_hands_back_its_output_and_exit_code),
        cmocka_unit_test(a_line_is_awaited_without_polling_and_only_when_whole),
        cmocka_unit_test(a_killed_process_reports_its_signal),
        cmocka_unit_test(children_and_folders_go_away_when_a_test_crashes),
        cmocka_unit_test(a_paused_process_stands_still_at_once),
        cmocka_unit_test(nats_comes_back_on_its_port_with_its_configuration),
        cmocka_unit_test(nats_can_be_paused_wiped_and_stopped),
        cmocka_unit_test(each_test_gets_its_own_database),
        cmocka_unit_test(postgres_keeps_its_data_through_every_kind_of_stop),
        cmocka_unit_test(a_port_belongs_to_its_program_before_and_after_a_server_has_it),
        cmocka_unit_test(no_answer_is_status_zero),
    };
    return cmocka_run_group_tests(tests, start_postgres, end_postgres);
}
