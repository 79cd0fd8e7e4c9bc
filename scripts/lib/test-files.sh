# shellcheck shell=bash
# Sourced by the scripts that run tests, in the checkout: lists the test files.

# Folders of this name contain slow tests.
# shellcheck disable=SC2034 # used by those that source this
readonly LONG='/long/'
# Tests of many cases, such as the instants at which svirt is killed, try every 19th, and some tests take
# turns: test/sample.ts.
readonly SAMPLE=19

# Prints the test files that need no node, one per line.
list_host_tests() {
  find ./test -name '*.test.ts' -not -path './test/node/*' -not -path './test/image/*' -not -path './test/readme/*' | sort
}

list_node_tests() {
  find ./test/node -name '*.test.ts' | sort
}

list_readme_tests() {
  find ./test/readme -name '*.test.ts' | sort
}

# names_all_failures JUNIT: succeeds if a run has failed and its JUnit file names each failure. A file that
# cannot be loaded and an error outside of tests are only in the sums of the run's output; without sums, bun
# has crashed.
names_all_failures() {
  local sum
  sum=$(sed -nE 's/^ *([1-9][0-9]*) fail$/\1/p' "${1%.xml}.log" 2>/dev/null | tail -n 1)
  [ -n "$sum" ] && [ "$sum" = "$(list_failed "$1" | wc -l)" ]
}

# list_failed JUNIT: prints "FILE: TITLE" for each failed test of a JUnit file that bun has written; nothing
# without the file.
list_failed() {
  [ -e "$1" ] || return 0
  awk '/<testcase /{ test = $0 } /<failure/ { print test }' "$1" |
    sed -E "s/.*<testcase name=\"([^\"]*)\".* file=\"([^\"]*)\".*/\2: \1/
      s/&quot;/\"/g; s/&apos;/'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g"
}

# show_failed LOG: prints the last lines of each failed test's output, or of the whole if no test is named;
# nothing without the file.
show_failed() {
  [ -e "$1" ] || return 0
  awk -v most=80 '
    /^\((pass|skip|todo)\) / { count = 0; next }
    { lines[count++] = $0 }
    /^\(fail\) / {
      show()
      shown = 1
    }
    END { if (!shown) show() }
    function show(i) {
      for (i = count > most ? count - most : 0; i < count; i++) print lines[i]
      count = 0
    }' "$1"
}

# The sample depends on the commit: a second run of a commit tries the same cases, and runs of many commits
# try all of them.
choose_sample() {
  local commit
  commit=$(git rev-parse --short=7 HEAD 2>/dev/null || echo 0)
  export SVIRT_SAMPLE=$SAMPLE SVIRT_SAMPLE_SEED=${SVIRT_SAMPLE_SEED:-$((16#${commit:0:7}))}
}
