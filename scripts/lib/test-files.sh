# shellcheck shell=bash
# Sourced by the scripts that run tests, in the checkout: lists the test files.

# Folders of this name contain slow tests.
# shellcheck disable=SC2034 # used by those that source this
readonly LONG='/long/'

# Prints the test files that need no node, one per line.
list_host_tests() {
  find ./test -name '*.test.ts' -not -path './test/node/*' -not -path './test/image/*' -not -path './test/readme/*' | sort
}
