/* Lines NAME=VALUE as the environment, loaded by a table with a row of each kind: what is accepted is in range, each bad setting has one
 * line that names it, and a secret is neither quoted nor left in the environment. FUZZ_SECRET_FILE's value is the content of the file. */
#include "base/settings.h"
#include "base/text.h"
#include "fuzz.h"

#include <ctype.h>
#include <sys/mman.h>

enum { PROBLEMS_MAX = 65536, LITTLE_MIN = -5, LITTLE_MAX = 70 };

typedef struct settings {
    char *text, *choice;
    int64_t little, any;
    bool truth;
    base_secret secret;
} settings;

static const base_setting TABLE[] = {
    {"FUZZ_TEXT", BASE_SETTING_TEXT, offsetof(settings, text), NULL, true, 0, 0, NULL, "a text"},
    {"FUZZ_CHOICE", BASE_SETTING_CHOICE, offsetof(settings, choice), "one", false, 0, 0, "one|two|three", "a word"},
    {"FUZZ_LITTLE", BASE_SETTING_INT, offsetof(settings, little), "7", false, LITTLE_MIN, LITTLE_MAX, NULL, "a number"},
    {"FUZZ_ANY", BASE_SETTING_INT, offsetof(settings, any), NULL, false, INT64_MIN, INT64_MAX, NULL, "a number"},
    {"FUZZ_TRUTH", BASE_SETTING_BOOL, offsetof(settings, truth), NULL, false, 0, 0, NULL, "yes or no"},
    {"FUZZ_SECRET", BASE_SETTING_SECRET, offsetof(settings, secret), NULL, true, 0, 0, NULL, "a secret"},
};
enum { ROWS = sizeof(TABLE) / sizeof(TABLE[0]) };

static void settings_done(settings *loaded)
{
    base_settings_done(TABLE, ROWS, loaded);
}
BASE_CLEANUP_VALUE(settings, settings_done);

/* The value of FUZZ_SECRET_FILE becomes a file that has no name, and the variable its path. */
static void set_file(const char *content, int *file)
{
    char path[64];
    if (*file >= 0)
        close(*file);
    *file = memfd_create("secret", MFD_CLOEXEC);
    FUZZ_CHECK(*file >= 0 && write(*file, content, strlen(content)) == (ssize_t)strlen(content));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", *file);
    FUZZ_CHECK(setenv("FUZZ_SECRET_FILE", path, 1) == 0);
}

static void set_environment(char *text, int *file)
{
    unsetenv("FUZZ_SECRET_FILE");
    for (size_t i = 0; i < ROWS; i++)
        unsetenv(TABLE[i].name);
    for (char *line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n")) {
        char *value = strchr(line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        for (size_t i = 0; i < ROWS; i++)
            if (strcmp(line, TABLE[i].name) == 0)
                FUZZ_CHECK(setenv(line, value, 1) == 0);
        if (strcmp(line, "FUZZ_SECRET_FILE") == 0)
            set_file(value, file);
    }
}

static const char *value_of(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

/* strtoll's number read a second way: white space, a sign, digits. */
static bool is_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    while (isspace((unsigned char)*text))
        text++;
    bool is_negative = *text == '-';
    text += *text == '-' || *text == '+';
    __int128 number = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && number <= INT64_MAX; i++)
        number = number * 10 + (text[i] - '0');
    number = is_negative ? -number : number;
    *ret = (int64_t)number;
    return digits > 0 && text[digits] == '\0' && number >= min && number <= max;
}

static bool has_problem(const base_buffer *problems, const char *name)
{
    char start[64];
    snprintf(start, sizeof(start), "%s", name);
    for (const char *line = (const char *)problems->data; line != NULL && *line != '\0';) {
        if (strncmp(line, start, strlen(start)) == 0 && !isalnum((unsigned char)line[strlen(start)]))
            return true;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return false;
}

/* One clean line for each row that is bad, and no other. */
static size_t check_lines(const base_buffer *problems)
{
    size_t lines = 0;
    for (const char *line = (const char *)problems->data; line != NULL && *line != '\0'; lines++) {
        size_t length = strcspn(line, "\n");
        FUZZ_CHECK(line[length] == '\n' && base_line_prefix(line, length) == length);
        FUZZ_CHECK(strncmp(line, "FUZZ_", 5) == 0);
        line += length + 1;
    }
    return lines;
}

static size_t check_values(const settings *loaded, const base_buffer *problems)
{
    size_t bad = 0;
    const char *text = value_of("FUZZ_TEXT", NULL);
    bool good = text != NULL && strlen(text) <= BASE_SETTING_VALUE_MAX;
    bad += !good;
    FUZZ_CHECK(has_problem(problems, "FUZZ_TEXT") == !good && (!good || strcmp(loaded->text, text) == 0));

    const char *choice = value_of("FUZZ_CHOICE", "one");
    good = strcmp(choice, "one") == 0 || strcmp(choice, "two") == 0 || strcmp(choice, "three") == 0;
    bad += !good;
    FUZZ_CHECK(has_problem(problems, "FUZZ_CHOICE") == !good && (!good || strcmp(loaded->choice, choice) == 0));

    int64_t number = 0;
    good = is_number(value_of("FUZZ_LITTLE", "7"), LITTLE_MIN, LITTLE_MAX, &number);
    bad += !good;
    FUZZ_CHECK(has_problem(problems, "FUZZ_LITTLE") == !good && (!good || loaded->little == number));
    good = is_number(value_of("FUZZ_ANY", "0"), INT64_MIN, INT64_MAX, &number);
    bad += !good;
    FUZZ_CHECK(has_problem(problems, "FUZZ_ANY") == !good && (!good || loaded->any == number));

    const char *truth = value_of("FUZZ_TRUTH", "no");
    bool yes = base_setting_is_one_of(truth, "true|1|yes|on");
    good = yes || base_setting_is_one_of(truth, "false|0|no|off");
    bad += !good;
    FUZZ_CHECK(has_problem(problems, "FUZZ_TRUTH") == !good && (!good || loaded->truth == yes));
    return bad;
}

/* `direct` and `content` are what the variable and the file held; NULL: nothing. */
static size_t check_secret(const settings *loaded, const base_buffer *problems, const char *direct, const char *content)
{
    FUZZ_CHECK(value_of("FUZZ_SECRET", NULL) == NULL);
    const char *wanted = content != NULL ? content : direct;
    size_t size = wanted == NULL ? 0 : strlen(wanted);
    bool good = size <= BASE_SECRET_MAX && (direct == NULL || content == NULL);
    while (content != NULL && size > 0 && wanted[size - 1] == '\r')
        size--;
    good = good && size > 0;
    FUZZ_CHECK(has_problem(problems, "FUZZ_SECRET") == !good);
    FUZZ_CHECK(good == (loaded->secret.data != NULL));
    if (good)
        FUZZ_CHECK(loaded->secret.size == size && memcmp(loaded->secret.data, wanted, size) == 0);
    return !good;
}

/* What is said tells nothing of the secret: with another one of its length it is the same. */
static void check_silence(const char *direct, const base_buffer *said)
{
    BASE_CLEANUP(free) char *other = strdup(direct);
    FUZZ_CHECK(other != NULL);
    memset(other, 'x', strlen(other));
    setenv("FUZZ_SECRET", other, 1);
    BASE_CLEANUP(settings_done) settings loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = PROBLEMS_MAX};
    (void)!base_settings_load(TABLE, ROWS, &loaded, &problems);
    FUZZ_CHECK(problems.size == said->size);
    FUZZ_CHECK(said->size == 0 || memcmp(problems.data, said->data, said->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BASE_CLEANUP(free) char *text = fuzz_text(base_bytes_of(data, size));
    BASE_CLEANUP(free) char *lines = strdup(text);
    BASE_CLEANUP(base_close) int file = -1;
    FUZZ_CHECK(lines != NULL);
    set_environment(lines, &file);
    const char *variable = value_of("FUZZ_SECRET", NULL);
    BASE_CLEANUP(free) char *direct = variable == NULL ? NULL : strdup(variable);
    BASE_CLEANUP(base_buffer_done) base_buffer content = {.limit = SIZE_MAX / 4};
    if (file >= 0)
        FUZZ_CHECK(base_file_read(value_of("FUZZ_SECRET_FILE", ""), &content, NULL) == BASE_OK);

    BASE_CLEANUP(settings_done) settings loaded = {0};
    BASE_CLEANUP(base_buffer_done) base_buffer problems = {.limit = PROBLEMS_MAX};
    base_code code = base_settings_load(TABLE, ROWS, &loaded, &problems);
    FUZZ_CHECK(code == BASE_OK || code == BASE_INVALID);
    size_t bad = check_values(&loaded, &problems);
    bad += check_secret(&loaded, &problems, direct, file >= 0 ? (const char *)content.data : NULL);
    FUZZ_CHECK(check_lines(&problems) == bad && (code == BASE_OK) == (bad == 0));
    if (direct != NULL)
        check_silence(direct, &problems);
    return 0;
}
