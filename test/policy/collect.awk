# Reads the kernel's log on the node and prints each use of a right, once for each test: domain, type, class, permission and
# title of the test. The title follows "svirt-test: " in the log.
function type_of(word) {
  sub(/^[st]context=/, "", word)
  split(word, parts, ":")
  return parts[3]
}
/svirt-test: / { title = $0; sub(/.*svirt-test: /, "", title); next }
!/avc: +granted / { next }
{
  source = target = class = ""
  for (i = 1; i <= NF; i++) {
    if ($i ~ /^scontext=/) source = type_of($i)
    if ($i ~ /^tcontext=/) target = type_of($i)
    if ($i ~ /^tclass=/) class = substr($i, 8)
  }
  permissions = $0
  sub(/^[^{]*\{ /, "", permissions)
  sub(/ \}.*/, "", permissions)
  count = split(permissions, each, " ")
  for (i = 1; i <= count; i++) {
    line = source " " target " " class " " each[i] " " title
    if (!(line in seen)) { seen[line] = 1; print line; fflush() }
  }
}
