# shellcheck shell=bash
# Fetches Debian's source packages for compilation. Source this after lib.sh.

# fetch_source NAME VERSION FOLDER: unpacks the source below FOLDER, with Debian's patches. The machine's lists may have no
# sources: they are fetched from the archive of its packages, into separate lists.
fetch_source() {
  local name=$1 version=$2 folder=$3
  local -a apt=(apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/dev/null
    -o "Dir::Etc::SourceParts=$folder/sources" -o "Dir::State::Lists=$folder/lists")
  mkdir -p "$folder"/{sources,lists/partial}
  list_sources "$folder/sources"
  (cd "$folder" && "${apt[@]}" update && "${apt[@]}" source --only-source "$name=$version") >"$folder/log" 2>&1 ||
    { tail -n 20 "$folder/log" >&2 && return 1; }
}

# list_sources FOLDER: copies apt's entries of Debian's own archive, in either format, as entries for sources.
list_sources() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    ! grep -qs '^Signed-By:' "$file" || sed 's/^Types:.*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ ! -f $file ]] || sed -n 's/^deb /deb-src /p' "$file" >"$1/$(basename "$file" .list).list"
  done
}

# build_flags FOLDER: sets DEB_CFLAGS and DEB_LDFLAGS to Debian's hardening flags. The compiled files do not contain the
# folder: two folders give the same bytes.
build_flags() {
  export DEB_BUILD_MAINT_OPTIONS=hardening=+all DEB_CFLAGS DEB_LDFLAGS
  DEB_CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS) -ffile-prefix-map=$1=."
  DEB_LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
}
