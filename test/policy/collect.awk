# Reads the kernel's log on the node and prints each use of a right once: verdict, scenario, domain, type, class, permission.
# "svirt-use: NAME" in the log begins a scenario.
function type_of(word) {
  sub(/^[st]context=/, "", word)
  split(word, parts, ":")
  return parts[3]
}
/svirt-use: / { scenario = $NF; next }
!/avc: +(granted|denied) / { next }
{
  verdict = /avc: +granted / ? "granted" : "denied"
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
    line = verdict " " scenario " " source " " target " " class " " each[i]
    if (!(line in seen)) { seen[line] = 1; print line; fflush() }
  }
}
