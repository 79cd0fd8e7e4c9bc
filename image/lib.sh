# shellcheck shell=bash
# Functions shared by the steps that build images: the cache, and running each step only once.
# Source this; it needs bash with "set -euo pipefail".

IMAGE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(dirname "$IMAGE_DIR")
# shellcheck source=../scripts/lib/setup.sh
source "$PROJECT_DIR/scripts/lib/setup.sh"

NODE_CACHE=$(svirt_cache)/node
mkdir -p "$NODE_CACHE"

# key_of FILE...: prints one short hash of the contents and names of these files and folders.
key_of() {
  local path
  for path in "$@"; do
    if [[ -d $path ]]; then
      (cd "$path" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum)
      (cd "$path" && find . \( -type l -printf '%p %l\n' \) -o \( -type f -perm -100 -print \) | LC_ALL=C sort)
    else
      sha256sum <"$path"
    fi
  done | sha256sum | cut -c1-16
}

# cached NAME KEY COMMAND...: prints the folder that COMMAND FOLDER filled, and runs it only for a new key. Each name
# has its own lock: a compilation for one image does not delay another image that needs none of it.
cached() {
  local name=$1 folder="$NODE_CACHE/$1-$2"
  shift 2
  [[ -d $folder ]] || locked "image-$name" fill "$name" "$folder" "$@" || return
  touch "$folder"
  printf '%s\n' "$folder"
}

# fill NAME FOLDER COMMAND...: fills the folder, unless another process did so while this one waited for the lock.
fill() {
  local name=$1 folder=$2
  shift 2
  [[ ! -d $folder ]] || return 0
  progress "image: $name"
  # Left by a killed build. The pattern has the length of a key, so that policy does not match policy-base.
  rm -rf "$NODE_CACHE/$name"-????????????????.part
  mkdir -p "$folder.part"
  "$@" "$folder.part" >&2 || return
  # Unpacking gives the folder the time of a package's, and forget_old would remove it.
  touch "$folder.part"
  mv "$folder.part" "$folder"
  forget_old "$name"
}

# stage_node: prints the folder of the test node's packages, unpacked. list_staged FOLDER lists them with their versions: a
# kernel does not work with the modules of another version.
stage_node() {
  (cd "$IMAGE_DIR" && cached stage "$(key_of packages build-stage list-versions)" ./build-stage "$IMAGE_DIR/packages")
}

list_staged() {
  ls "$1/.packages"
}

# node_kernel STAGE: prints the folder of the test node's kernel and initramfs.
node_kernel() {
  (cd "$IMAGE_DIR" && cached kernel "$(key_of <(list_staged "$1") build-kernel list-modules modules initramfs)" ./build-kernel "$1")
}

# forget_old NAME: keeps the three most recently used results of a step, and those of the last hour: a concurrent build may
# use them.
forget_old() {
  local folder
  find "$NODE_CACHE" -maxdepth 1 -type d -regex ".*/$1-[0-9a-f]*" -printf '%T@ %p\n' |
    sort -rn | tail -n +4 | cut -d' ' -f2- |
    while IFS= read -r folder; do
      [[ -z $(find "$folder" -maxdepth 0 -mmin +60) ]] || rm -rf "$folder"
    done
}

# kernel_release STAGE: prints the release of the one kernel in the staged tree.
kernel_release() {
  local images=("$1"/boot/vmlinuz-*)
  [[ ${#images[@]} -eq 1 && -e ${images[0]} ]] || { echo "Cannot tell the kernel in $1: ${images[*]}" >&2; return 1; }
  printf '%s\n' "${images[0]##*/vmlinuz-}"
}
