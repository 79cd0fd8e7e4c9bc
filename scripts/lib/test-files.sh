# shellcheck shell=bash
# Sourced by the scripts that run tests, in the checkout: which test files there are.

# In folders of this name is what takes long.
# shellcheck disable=SC2034 # used by those that source this
readonly LONG='/long/'

# Prints the test files that need no node, a line each.
list_host_tests() {
  find ./test -name '*.test.ts' -not -path './test/node/*' -not -path './test/image/*' -not -path './test/readme/*' | sort
}
