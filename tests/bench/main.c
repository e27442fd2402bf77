/* proofline-bench: measures the pipeline from the publication of signed images to the event that says `complete`. */
#include "fatal.h"
#include "options.h"
#include "report.h"

#include "base/secret.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>

/* Servers that sync to memory would look faster than they are, and /tmp is memory on many machines. */
static void use_a_disk(void)
{
    const char *folder = getenv("TMPDIR");
    if (folder == NULL) {
        folder = "/var/tmp";
        setenv("TMPDIR", folder, 1);
    }
    struct statfs info;
    if (statfs(folder, &info) == 0 && info.f_type == TMPFS_MAGIC)
        fprintf(stderr, "warning: %s is in memory; set TMPDIR to a folder on disk for figures with durable writes\n",
                folder);
}

int main(int argc, char **argv)
{
    bench_options options;
    bench_options_read(argc, argv, &options);
    use_a_disk();
    base_error err = {0};
    bench_require(base_process_harden(&err), &err, "start");
    bench_result results[BENCH_RUNS_MAX];
    for (size_t i = 0; i < options.count; i++)
        bench_run(&options.plans[i], &results[i]);
    bench_report_table(results, options.count);
    bench_report_json(results, options.count);
    return EXIT_SUCCESS;
}
