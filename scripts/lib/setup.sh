# shellcheck shell=bash
# Sourced by every script: the cache, progress lines, Debian packages, bun and the node modules.
# Functions may be called repeatedly and concurrently; a call with nothing to do takes milliseconds.

SVIRT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly SVIRT_ROOT
readonly BUN_VERSION=1.4.5
# Folder of apt's package lists.
readonly APT_LISTS=${SVIRT_APT_LISTS:-/var/lib/apt/lists}
# Debian packages that build the image, run the node, and compile programs for it.
# shellcheck disable=SC2034 # used by scripts that source this
readonly IMAGE_PACKAGES=(attr binutils cpio e2fsprogs kmod libselinux1 openssh-client policycoreutils selinux-utils semodule-utils
  xz-utils zstd)
# shellcheck disable=SC2034
readonly NODE_PACKAGES=(e2fsprogs openssh-client qemu-system-x86 seabios)
# shellcheck disable=SC2034
readonly COMPILER_PACKAGES=(gcc libc6-dev linux-libc-dev)
# Nested scripts count from the start of the outermost one.
export SVIRT_STARTED=${SVIRT_STARTED:-$EPOCHSECONDS}

# Prints the folder outside the checkout for all downloads and builds.
svirt_cache() {
  local cache=${SVIRT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/svirt}
  mkdir -p "$cache"
  printf '%s\n' "$cache"
}

# progress TEXT: prints one line on stderr with the seconds since the start of the outermost script.
progress() {
  printf '[%4ds] %s\n' "$((EPOCHSECONDS - SVIRT_STARTED))" "$*" >&2
  # For break_silence.
  [ -z "${SVIRT_SAID:-}" ] || printf '%s\n' "$*" 2>/dev/null >"$SVIRT_SAID" || true
}

# doing TEXT: sets the text that break_silence prints, without a line.
doing() {
  local at
  at=$(stat -c %y "$SVIRT_SAID")
  printf '%s\n' "$1" >"$SVIRT_SAID"
  touch -d "$at" "$SVIRT_SAID"
}

# Seconds without a progress line after which break_silence prints one.
readonly SILENCE=${SVIRT_SILENCE:-7}

# break_silence FILE PID: prints the last progress line once more whenever none was printed for SILENCE
# seconds, until the process has ended. SVIRT_SAID=FILE lets all scripts of a run write theirs into the file.
break_silence() {
  local at
  while sleep 1 && kill -0 "$2" 2>/dev/null; do
    at=$(stat -c %Y "$1" 2>/dev/null) || continue
    [ "$((EPOCHSECONDS - at))" -lt "$SILENCE" ] || progress "$(sed '1s/^ *\(still: \)\{0,1\}/   still: /' "$1")"
  done
}

# keep_busy COUNT PID: keeps that many processors busy until the process has ended, however it ends.
keep_busy() {
  local loop
  for ((loop = 0; loop < $1; loop++)); do
    (
      trap - EXIT
      while kill -0 "$2" 2>/dev/null; do for ((turn = 0; turn < 20000; turn++)); do :; done; done
    ) &
  done
}

# find_test_data: sets SVIRT_TEST_DATA if documents of other projects are beside the checkout, as on
# developers' machines. Without them, tests that depend on them are skipped with a message.
find_test_data() {
  if [ -z "${SVIRT_TEST_DATA:-}" ] && [ -d "$SVIRT_ROOT/../shared/data" ]; then
    SVIRT_TEST_DATA=$(realpath "$SVIRT_ROOT/../shared/data")
    export SVIRT_TEST_DATA
  fi
}

# locked NAME COMMAND...: runs COMMAND in a subshell while it holds the lock NAME. A waiting process names the
# holder.
locked() {
  local name=$1 file
  shift
  file=$(lock_file "$name")
  (
    wait_for_lock "$name"
    # For waiting processes: the holder, and the time since which it holds the lock.
    printf '%s %s %s\n' "$BASHPID" "$EPOCHSECONDS" "$(words_of $$)" >"$file"
    "$@" 9>&-
  ) 9>>"$file"
}

lock_file() {
  printf '%s/%s.lock\n' "$(svirt_cache)" "$1"
}

# wait_for_lock NAME: acquires the lock on descriptor 9, and names each holder that it waits for longer than a
# second.
wait_for_lock() {
  local name=$1 file holder told=''
  file=$(lock_file "$name")
  until flock -w 1 9; do
    holder=$(cat "$file")
    [ "$holder" = "$told" ] || tell "waiting for $(describe_holder "$name" "$holder")"
    told=$holder
  done
}

# describe_holder NAME 'PID SECONDS COMMAND': prints the lock, its holder, and since when.
describe_holder() {
  local pid since command
  read -r pid since command <<<"$2"
  if [ -d "/proc/${pid:-none}" ]; then
    printf 'the lock "%s": process %s holds it since %(%F %T)T (%d s): %s' \
      "$1" "$pid" "$since" "$((EPOCHSECONDS - since))" "$command"
  else
    # Another process has just acquired the lock.
    printf 'the lock "%s": what holds it has not said so yet' "$1"
  fi
}

# tell TEXT: prints a progress line to descriptor SVIRT_TELL, if it is open, so that it is visible if stderr
# is a file.
tell() {
  local to=${SVIRT_TELL:-2}
  { : >&"$to"; } 2>/dev/null || to=2
  progress "$@" 2>&"$to"
}

# need_packages PACKAGE...: installs the missing Debian packages.
need_packages() {
  [ -z "$(missing_packages "$@")" ] || locked apt install_packages "$@"
}

# need_bun: puts bun in its pinned version first on PATH.
need_bun() {
  local folder
  folder=$(svirt_cache)/bun-$BUN_VERSION
  [ -e "$folder/.complete" ] || locked bun install_bun "$folder"
  case :$PATH: in
    *":$folder/node_modules/.bin:"*) ;;
    *) export PATH="$folder/node_modules/.bin:$PATH" ;;
  esac
}

# need_modules: installs the node modules of bun.lock in the checkout.
need_modules() {
  need_bun
  [ "$(modules_wanted)" = "$(modules_installed)" ] || locked modules install_modules
}

missing_packages() {
  local package installed
  # One call: each takes as long as a call for all.
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package; do
    [[ $'\n'$installed$'\n' == *$'\n'"$package installed"$'\n'* ]] || printf '%s\n' "$package"
  done
}

install_packages() {
  local -a missing apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  local log
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    printf 'Cannot install %s: this needs root\n' "${missing[*]}" >&2
    return 1
  fi
  locked apt-lists update_lists
  wait_for_record /var/lib/dpkg/lock-frontend
  progress "installing Debian packages: ${missing[*]}"
  log=$(svirt_cache)/apt.log
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    # The archive may have removed a version today.
    { locked apt-lists update_lists now && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && return 1; }
}

# update_lists [now]: updates apt's package lists unless that was done within a day: older lists name versions
# that the archive has removed, and a kernel without its security updates. Without the archive, says how old
# the lists are. The caller holds the lock "apt-lists".
update_lists() {
  local stamp log
  stamp=$(svirt_cache)/apt-lists log=$(svirt_cache)/apt-update.log
  # The machine may have got other lists since, for instance with a cache that outlives it.
  [ -n "${1:-}" ] || [ -z "$(find "$stamp" -mmin -1440 2>/dev/null)" ] || [ "$(cat "$stamp")" != "$(list_lists)" ] || return 0
  wait_for_record "$APT_LISTS/lock"
  progress 'updating the package lists'
  # Without this mode apt succeeds with lists that it could not fetch.
  if apt-get -qq -o APT::Update::Error-Mode=any update >"$log" 2>&1; then
    list_lists >"$stamp"
  else
    progress "the package lists cannot be updated ($(tail -n 1 "$log")): they are $(describe_lists)"
  fi
}

# list_lists: prints the name, size and time of each package list.
list_lists() {
  stat -c '%n %s %Y' "$APT_LISTS"/*_{Packages,InRelease,Release}* 2>/dev/null || true
}

# describe_lists: prints the day on which the archive published the lists, or that there are none.
describe_lists() {
  local line newest=''
  while IFS= read -r line; do
    line=$(date -d "$line" +%F 2>/dev/null) || continue
    [[ $line < $newest ]] || newest=$line
  done < <(sed -n 's/^Date: //p' "$APT_LISTS"/*Release 2>/dev/null)
  printf '%s\n' "${newest:+of }${newest:-missing}"
}

# wait_for_record FILE: waits until no other process has a record lock on FILE, fcntl(2), and names the
# holder. Programs that acquire such a lock afterwards, as apt does, would wait silently.
wait_for_record() {
  local pid told=''
  for _ in {1..300}; do
    pid=$(holder_of_record "$1")
    [ -n "$pid" ] || return 0
    [ "$pid" = "$told" ] || tell "waiting for $1: process $pid holds it, which runs since $(began "$pid"): $(words_of "$pid")"
    told=$pid
    sleep 1
  done
}

# holder_of_record FILE: prints the process that has a record lock on it, or nothing. proc_locks(5)
holder_of_record() {
  local device inode
  [ -e "$1" ] || return 0
  read -r device inode < <(stat -c '%d %i' "$1")
  awk -v file="$(printf '%02x:%02x:%d' "$((device >> 8 & 0xfff))" "$((device & 0xff | device >> 12 & 0xfff00))" "$inode")" \
    '$2 == "POSIX" && $6 == file { print $5; exit }' /proc/locks
}

# began PID: prints the start time of a process, approximated by /proc.
began() {
  date -d "@$(stat -c %Y "/proc/$1" 2>/dev/null || echo "$EPOCHSECONDS")" '+%F %T'
}

# words_of PID: prints its command line.
words_of() {
  { tr '\0\n' '  ' <"/proc/$1/cmdline" | sed 's/ $//'; } 2>/dev/null || true
}

# list_bun_packages: prints the Debian packages that fetch bun, if there is neither npm nor another bun.
list_bun_packages() {
  command -v npm >/dev/null || command -v bun >/dev/null || printf '%s\n' npm ca-certificates
}

install_bun() {
  local folder=$1 log
  [ ! -e "$folder/.complete" ] || return 0
  # shellcheck disable=SC2046 # words
  need_packages $(list_bun_packages)
  progress "fetching bun $BUN_VERSION"
  log=$(svirt_cache)/bun.log
  rm -rf "$folder"
  mkdir -p "$folder"
  fetch_bun "$folder" >"$log" 2>&1 || { tail -n 20 "$log" >&2 && return 1; }
  [ "$("$folder/node_modules/.bin/bun" --version)" = "$BUN_VERSION" ]
  touch "$folder/.complete"
}

# fetch_bun FOLDER: installs bun by npm, or else by another bun.
fetch_bun() {
  if command -v npm >/dev/null; then
    # It would wait for a server that does not answer, for many minutes.
    while_it_reads npm install --no-audit --no-fund --no-update-notifier --prefix "$1" "bun@$BUN_VERSION"
  else
    (cd "$1" && echo '{}' >package.json && bun add --exact --trust "bun@$BUN_VERSION")
  fi
}

# Seconds without a byte read, after which while_it_reads ends a command.
readonly NOTHING_READ=${SVIRT_NOTHING_READ:-120}

# while_it_reads COMMAND...: ends it if it reads nothing for NOTHING_READ seconds, by /proc/PID/io of proc(5). A
# limit on the whole would end a slow download.
while_it_reads() {
  local pid since=$EPOCHSECONDS last='' now
  "$@" &
  pid=$!
  while now=$(grep rchar "/proc/$pid/io" 2>/dev/null) && sleep 1; do
    [ "$now" = "$last" ] || since=$EPOCHSECONDS
    last=$now
    if [ "$((EPOCHSECONDS - since))" -ge "$NOTHING_READ" ]; then
      printf '%s: nothing was read for %s s. Is the network up, and are proxies set?\n' "$*" "$NOTHING_READ" >&2
      kill "$pid"
      break
    fi
  done
  wait "$pid"
}

modules_wanted() {
  sha256sum <"$SVIRT_ROOT/bun.lock"
}

modules_installed() {
  cat "$SVIRT_ROOT/node_modules/.svirt-lock" 2>/dev/null || true
}

install_modules() {
  [ "$(modules_wanted)" != "$(modules_installed)" ] || return 0
  progress "installing node modules"
  (cd "$SVIRT_ROOT" && bun install --frozen-lockfile --silent >&2)
  modules_wanted >"$SVIRT_ROOT/node_modules/.svirt-lock"
}
