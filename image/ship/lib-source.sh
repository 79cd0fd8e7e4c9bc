# shellcheck shell=bash
# Debian's source packages, for what is compiled. Source this after lib.sh.

# fetch_source NAME VERSION FOLDER: unpacked, with Debian's patches, below FOLDER. The machine may have no sources in its
# lists: they come from where its packages come from, into lists of our own.
fetch_source() {
  local name=$1 version=$2 folder=$3
  local -a apt=(apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/dev/null
    -o "Dir::Etc::SourceParts=$folder/sources" -o "Dir::State::Lists=$folder/lists")
  mkdir -p "$folder"/{sources,lists/partial}
  list_sources "$folder/sources"
  (cd "$folder" && "${apt[@]}" update && "${apt[@]}" source --only-source "$name=$version") >"$folder/log" 2>&1 ||
    { tail -n 20 "$folder/log" >&2 && return 1; }
}

# list_sources FOLDER: what apt knows of Debian's own archive, in either of its forms, asked for sources.
list_sources() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    ! grep -qs '^Signed-By:' "$file" || sed 's/^Types:.*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ ! -f $file ]] || sed -n 's/^deb /deb-src /p' "$file" >"$1/$(basename "$file" .list).list"
  done
}

# build_flags FOLDER: Debian's hardening into DEB_CFLAGS and DEB_LDFLAGS, for whoever asks. Of the folder nothing stands in what is compiled: two
# folders give the same bytes.
build_flags() {
  export DEB_BUILD_MAINT_OPTIONS=hardening=+all DEB_CFLAGS DEB_LDFLAGS
  DEB_CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS) -ffile-prefix-map=$1=."
  DEB_LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
}
