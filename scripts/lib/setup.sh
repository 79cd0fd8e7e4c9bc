# shellcheck shell=bash
# Sourced by every script: the cache, progress lines, Debian packages, bun and the node modules.
# Functions may be called repeatedly and concurrently; a call with nothing to do takes milliseconds.

SVIRT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly SVIRT_ROOT
readonly BUN_VERSION=1.4.5
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
}

# find_test_data: sets SVIRT_TEST_DATA if documents of other projects are beside the checkout, as on developers' machines.
# Without them, tests that depend on them are skipped with a message.
find_test_data() {
  if [ -z "${SVIRT_TEST_DATA:-}" ] && [ -d "$SVIRT_ROOT/../shared/data" ]; then
    SVIRT_TEST_DATA=$(realpath "$SVIRT_ROOT/../shared/data")
    export SVIRT_TEST_DATA
  fi
}

# locked NAME COMMAND...: runs COMMAND in a subshell while it holds the lock NAME. A waiting process names the holder.
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

# wait_for_lock NAME: acquires the lock on descriptor 9, and names each holder that it waits for longer than a second.
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

# tell TEXT: prints a progress line to descriptor SVIRT_TELL, if it is open, so that it is visible if stderr is a file.
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
  local package
  for package; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
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
  wait_for_record /var/lib/dpkg/lock-frontend
  progress "installing Debian packages: ${missing[*]}"
  log=$(svirt_cache)/apt.log
  export DEBIAN_FRONTEND=noninteractive
  # The lists may be missing, or name versions that the archive has removed.
  { have_lists && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && return 1; }
}

# wait_for_record FILE: waits until no other process has a record lock on FILE, fcntl(2), and names the holder. Programs that
# acquire such a lock afterwards, as apt does, would wait silently.
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

have_lists() {
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

install_bun() {
  local folder=$1 log
  [ ! -e "$folder/.complete" ] || return 0
  command -v npm >/dev/null || command -v bun >/dev/null || need_packages npm ca-certificates
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
    npm install --no-audit --no-fund --no-update-notifier --prefix "$1" "bun@$BUN_VERSION"
  else
    (cd "$1" && echo '{}' >package.json && bun add --exact --trust "bun@$BUN_VERSION")
  fi
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
