#include "keys.h"
#include "suites.h"

int main(void)
{
    keys_make();
    int failed = run_graphql_tests() + run_chain_tests() + run_journal_tests() + run_faults_tests() + run_api_tests();
    keys_release();
    return failed;
}
