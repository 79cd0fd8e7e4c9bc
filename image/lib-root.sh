# shellcheck shell=bash
# Functions that build the roots of the test machine (build-root) and of the product (ship/build-root).
# Source this after lib.sh.

make_skeleton() {
  local root=$1 dir
  for dir in usr/bin usr/sbin usr/lib usr/lib64 dev proc sys run tmp root home srv mnt etc/svirt etc/dropbear \
    var/lib var/log var/tmp var/cache; do
    mkdir -p "$root/$dir"
  done
  for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
  ln -s ../run "$root/var/run"
  chmod 1777 "$root/tmp" "$root/var/tmp"
  chmod 700 "$root/root" "$root/etc/svirt"
}

# add_programs STAGE ROOT LIST: copies the files in LIST, and every library that their ELF headers need.
add_programs() {
  local stage=$1 root=$2 list=$3 pattern path
  local -a patterns paths=()
  mapfile -t patterns < <(grep -v '^#' "$list")
  for pattern in "${patterns[@]}"; do
    for path in "$stage"$pattern; do
      [[ -e $path ]] || { echo "Cannot find $pattern in the packages" >&2; return 1; }
      paths+=("${path#"$stage"}")
    done
  done
  for path in "${paths[@]}"; do copy_file "$stage" "$root" "$path"; done
  add_libraries "$stage" "$root" "${paths[@]/#/$stage}"
  copy_file "$stage" "$root" /usr/lib64/ld-linux-x86-64.so.2
}

# add_libraries STAGE ROOT FILE...: copies the libraries that the ELF headers of these files need.
add_libraries() {
  local stage=$1 root=$2 path
  shift 2
  for path in $(printf '%s\n' "$@" | list_libraries "$stage"); do copy_file "$stage" "$root" "$path"; done
}

# copy_file STAGE ROOT PATH: copies PATH and, if it is a link, its target.
copy_file() {
  local stage=$1 root=$2 path=$3 target
  [[ -e $root$path ]] && return
  mkdir -p "$(dirname "$root$path")"
  cp -a "$stage$path" "$root$path"
  [[ -L $stage$path ]] || return 0
  target=$(readlink "$stage$path")
  [[ $target == /* ]] || target=$(realpath -s "$(dirname "$path")/$target")
  copy_file "$stage" "$root" "$target"
}

# list_libraries STAGE: prints the shared libraries of the files on standard input, resolved by the staged loader.
list_libraries() {
  local stage=$1 libraries=$1/usr/lib/x86_64-linux-gnu file
  while IFS= read -r file; do
    [[ -f $file && $(head -c 4 "$file" | tr -d '\0') == $'\x7fELF' ]] || continue
    # A static program is no error, a missing library is.
    LD_LIBRARY_PATH='' "$stage/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries" --list "$file" || true
  done 2>/dev/null |
    awk -v stage="$stage" '$2 == "=>" { if ($3 == "not") { print "Missing library: " $1 >"/dev/stderr"; exit 1 }
      if (index($3, stage) == 1) print substr($3, length(stage) + 1) }' | sort -u
}

# add_modules STAGE ROOT LIST: adds the kernel modules in LIST and their dependencies.
add_modules() {
  local stage=$1 root=$2 list=$3 release module
  release=$(kernel_release "$stage")
  while IFS= read -r module; do
    mkdir -p "$root/usr/lib/modules/$release/$(dirname "$module")"
    # Unpacked here once instead of at every boot.
    xz -dc "$stage/usr/lib/modules/$release/$module" >"$root/usr/lib/modules/$release/${module%.xz}"
  done < <("$IMAGE_DIR/list-modules" "$stage" "$list" boot load keep)
  cp "$stage/usr/lib/modules/$release"/modules.{builtin,order,builtin.modinfo} "$root/usr/lib/modules/$release/"
  depmod -b "$root" -m /usr/lib/modules "$release"
  sed -n 's/^load //p' "$list" >"$root/etc/modules"
}

# /bin/sh and init are copies and not links, since a file has only one label: shell_exec_t, init_exec_t, bin_t.
add_busybox() {
  local root=$1 applet
  cp "$root/usr/bin/busybox" "$root/usr/bin/sh"
  cp "$root/usr/bin/busybox" "$root/usr/sbin/init"
  while IFS= read -r applet; do
    [[ -e $root/$applet ]] || ln -s /usr/bin/busybox "$root/$applet"
  done < <("$root/usr/bin/busybox" --list-full | sed -e 's,^bin/,usr/bin/,' -e 's,^sbin/,usr/sbin/,' | grep -v '^linuxrc$')
}

add_policy() {
  local policy=$1 root=$2
  mkdir -p "$root/etc/selinux"
  cp -a "$policy/etc/selinux/config" "$policy/etc/selinux/default" "$root/etc/selinux/"
  find "$root/etc/selinux/default/policy" -type f ! -name 'policy.33' -delete
}

# list_runtime_labels POLICY LIST: writes the labels of files that have none stored at boot (device nodes, folders on tmpfs).
# Standard input lists them as runtime-paths does; LIST has the format of setfattr --restore.
list_runtime_labels() {
  local policy=$1 list=$2 path mode label
  while read -r mode path; do
    label=$(matchpathcon -n -m "$mode" -f "$policy/etc/selinux/default/contexts/files/file_contexts" "$path")
    [[ $label == *:object_r:* ]] || { echo "Cannot label $path: the policy says '$label'" >&2; return 1; }
    printf '# file: %s\nsecurity.selinux="%s"\n\n' "${path#/}" "$label"
  done < <(grep -v '^#') >"$list"
}
