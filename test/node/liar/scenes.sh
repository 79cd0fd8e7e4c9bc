# shellcheck shell=sh disable=SC2154 # read by liar.sh, which has the variables
# Scenes in which svirt itself deals with a liar, and the required result of each.

# Four parts of about the same length, for four guests at once: most of the time is waiting. The neighbour is
# in the last part alone.
words_scenes='greets answers'
acts_scenes='agents audits logs pictures lingerers'
keeps_scenes='keeps'
traps_scenes='traps others'

# scenes WHO FAMILY...: runs the scenes; `guest` or `control` is the first word of their functions.
# SVIRT_SCENES restricts the families.
scenes() {
  who=$1
  shift
  for family; do
    case " ${SVIRT_SCENES:-$family} " in *" $family "*) "${family}_of" "$who" ;; esac
  done
}

logs_of() { "$1_logs"; }

# WHO_lie ID WHAT LIE ON COMMAND...: a lie in answer to the request ON, which COMMAND of svirt receives.
greets_of() {
  lie="$1_lie"
  "$lie" greet.never 'no greeting' greet-never any domstate @
  "$lie" greet.slowly 'a greeting, a byte at a time' greet-slowly any domstate @
  "$lie" greet.endless 'a greeting without end' greet-endlessly any domstate @
  "$lie" greet.junk 'random bytes for a greeting' greet-with-junk any suspend @
  "$lie" greet.deep 'a greeting nested without end' greet-deep any domstate @
  "$lie" greet.lines 'empty lines for a greeting' greet-with-lines any domstate @
  "$lie" greet.go 'hangs up for a greeting' greet-and-go any resume @
  "$lie" greet.often 'greetings without end' greet-often any domstate @
  "$lie" greet.events 'events without end for a greeting' greet-with-events any domstate @
  "$lie" greet.deaf 'does not take the call' deaf any domstate @
}

answers_of() {
  lie="$1_lie"
  "$lie" answer.never 'no answer' never query-status domstate @
  "$lie" answer.slowly 'an answer, a byte at a time' slowly query-status domstate @
  "$lie" answer.line 'an answer without end' line-without-end query-status domstate @
  "$lie" answer.deep-endless 'an answer nested without end' nested-without-end query-status domstate @
  "$lie" answer.deep 'an answer nested 300,000 deep' nested query-status domstate @
  "$lie" answer.objects 'objects in objects without end' objects-without-end query-status domstate @
  "$lie" answer.events 'events without end' events-without-end query-status domstate @
  "$lie" answer.deletions 'devices that are gone, without end' deletions-without-end query-status domstate @
  "$lie" answer.answers 'answers to what was not asked, without end' answers-without-end query-status domstate @
  "$lie" answer.blanks 'blank lines without end' blanks-without-end query-status domstate @
  "$lie" answer.junk 'random bytes for an answer' junk query-status domstate @
  "$lie" answer.other-id 'an answer with a wrong number' other-id query-status domstate @
  "$lie" answer.no-id 'an answer without a number' no-id query-status domstate @
  "$lie" answer.text-id 'an answer with text for a number' id-as-text query-status domstate @
  "$lie" answer.half 'half an answer' half-a-line query-status domstate @
  "$lie" answer.half-go 'half an answer, and hangs up' half-and-go query-status domstate @
  "$lie" answer.go 'hangs up for an answer' go query-status domstate @
  "$lie" answer.half-closed 'closes its side' half-closed query-status domstate @
  "$lie" answer.not-utf8 'an answer that is not UTF-8' not-utf8 query-status domstate @
  "$lie" answer.not-json 'an answer that is not JSON' not-json query-status domstate @
  "$lie" answer.number 'a number for a state' number query-status domstate @
  "$lie" answer.null 'null for a state' null query-status domstate @
  "$lie" answer.text 'text for a state' text query-status domstate @
  "$lie" answer.state 'a state that QEMU does not have' state query-status domstate @
  "$lie" answer.prototype 'an answer named __proto__' prototype query-status domstate @
  "$lie" answer.escapes 'escape sequences in an answer' escapes query-status domstate @
  "$lie" answer.error 'escape sequences in an error' error-escapes stop suspend @
  "$lie" answer.error-long 'an error of 4 MB' error-long stop suspend @
  "$lie" answer.numbers 'numbers that are none' numbers query-status domstate @
  "$lie" answer.descriptors 'descriptors with an answer' descriptors query-status domstate @
  "$lie" list.never 'no answer, to who lists all guests' never any list
  "$lie" list.greet 'no greeting, to who lists all guests' greet-never any list
  "$lie" stats.never 'no answer, to who asks for statistics' never any domstats @
  "$lie" stats.text 'text for statistics' text any domstats @
  "$lie" shutdown.never 'no answer, to who shuts it down' never any shutdown @
}

audits_of() { "$1_lie" audit.never 'no answer, to the audit' never any audit; }

# WHO_agent ID WHAT LIE: a lie of the guest's agent in answer to any request.
agents_of() {
  agent="$1_agent"
  "$agent" agent.never 'an agent without an answer' never
  "$agent" agent.line 'an answer of the agent without end' line-without-end
  "$agent" agent.deep 'an answer of the agent nested without end' nested-without-end
  "$agent" agent.blanks 'blank lines of the agent without end' blanks-without-end
  "$agent" agent.junk 'random bytes of the agent' junk
  "$agent" agent.escapes 'escape sequences of the agent' error-escapes
  "$agent" agent.go 'an agent that hangs up' half-and-go
}

# WHO_other ID WHAT HOW: the start of another guest meanwhile.
others_of() {
  other="$1_other"
  "$other" other.start 'starts, and never greets, while another guest starts' start
  "$other" other.detach 'has a change left undone, and is silent, while another guest starts' detach
  "$other" other.shutdown 'is shut down, and is silent, while another guest starts' shutdown
}

# WHO_keep ID WHAT HOW [FOLDER]
keeps_of() {
  keep="$1_keep"
  "$keep" keep.descriptor 'keeps a disk by a descriptor' descriptor
  "$keep" keep.anew 'keeps a disk opened anew' anew
  "$keep" keep.mapping 'keeps a disk mapped' mapping
  "$keep" keep.stacked 'keeps a disk on an overlay mapped' mapping "$here/stacked"
  "$keep" keep.child 'keeps a disk in a child' child
  "$keep" keep.thread 'keeps a disk in a thread with its own descriptors' thread
  "$keep" keep.leader 'keeps a disk in a process whose first thread is dead' leader
  "$keep" keep.flight 'keeps a disk on the way through a socket' flight
  "$keep" keep.flight-twice 'keeps a disk in a socket on the way through a socket' flight-twice
  "$keep" keep.splice 'keeps a disk in a system call that waits to write to it' splice
  "$keep" keep.sendfile 'keeps a disk in a system call that waits to read on' sendfile
  "$keep" keep.pages 'keeps pages of a disk in a pipe, to read what comes' pages
  "$keep" keep.ring 'keeps a disk registered with io_uring' ring
  "$1_tap" keep.tap 'leaves a tap to vhost-net'
}

# WHO_picture: keeps writing to the file that it received for a screenshot.
pictures_of() { "$1_picture" picture.fill 'fills the memory of the host with a picture of its screen'; }

# WHO_linger ID WHAT HOW
lingerers_of() {
  outlive="$1_linger"
  "$outlive" end.orphan 'a grandchild that ignores all signals' orphan
  "$outlive" end.kernel-name 'a child that is called as a kernel thread' kernel-name
  "$outlive" end.reaper-name 'a child that is called svirt' reaper-name
  "$outlive" end.leader 'a process whose first thread is dead' leader
  "$outlive" end.run-away 'another process each moment' run-away
  "$outlive" end.stopped 'a child that is stopped' stopped
  "$outlive" end.traced 'a child that another one traces' traced
  "$outlive" end.sibling 'a child of its reaper' sibling
  "$outlive" end.vfork 'a process that waits in vfork' vfork
  "$outlive" end.namespace 'a child in a user namespace' namespace
  "$outlive" end.bomb 'processes that fork as often as they can' bomb
  "$1_end"
  "$1_leave" end.leave 'a grandchild that stays when it ends by itself'
}

# WHO_trap ID WHAT HOW NAIVE
traps_of() {
  lure="$1_trap"
  "$lure" trap.deep '10,000 folders in each other' deep 'rm -rf d'
  # shellcheck disable=SC2016
  "$lure" trap.names 'names that are options, patterns, commands and no text' names 'rmdir $(ls -A) && [ -z "$(ls -A)" ]'
  "$lure" trap.symlinks 'symlinks to a file, where its sockets are looked for' symlinks 'echo hello >vnc.sock'
  "$lure" trap.folder-links 'symlinks to a folder, where its sockets are looked for' folder-links 'rm -r vnc.sock/*'
  "$lure" trap.loops 'symlinks to themselves' loops 'cat vnc.sock'
  "$lure" trap.fifos 'FIFOs, where its sockets are looked for' fifos 'cat vnc.sock'
  "$lure" trap.folders 'folders, where its sockets are looked for' folders 'rm -f vnc.sock'
  "$lure" trap.sparse 'a file of 4 TiB' sparse 'cat sparse >/dev/null'
}

run_scenes() {
  set_pace
  plays=
  begin_play acts liar-twin "$acts_scenes"
  begin_play keeps liar-third "$keeps_scenes"
  begin_play traps liar-fourth "$traps_scenes"
  play liar-kvm "$words_scenes"
  for name in acts keeps traps; do
    wait "${plays%% *}" || say "the scenes of $name ended with $?"
    plays=${plays#* }
    cat "$scratch/$name.json"
  done
  svirt destroy liar-neighbour >/dev/null 2>&1 || :
}

# begin_play NAME GUEST FAMILIES: play in the background, whose results become NAME.json.
begin_play() {
  (
    new_scratch "$scratch/$1"
    play "$2" "$3"
  ) >"$scratch/$1.json" &
  plays="$plays$! "
}

# Starts the neighbour, and audits it: the longest work of a command that waits for no guest. The limit of a
# command is at least twenty times this duration, since a busy machine is slow, and four guests lie at once.
set_pace() {
  svirt start liar-neighbour >/dev/null 2>&1 || say "liar-neighbour has not started"
  watched 600 "$most" svirt audit
  [ "$((ms / 50))" -le "$longest" ] || longest=$((ms / 50))
}

# play GUEST FAMILIES
play() {
  liar=$1
  # shellcheck disable=SC2086 # families
  scenes guest $2
  svirt destroy "$liar" >/dev/null 2>&1 || :
}

# ---- Results of svirt

# clear_words: checks that the output has no control character, and that a failure has a remedy. The audit
# fails by its findings, which include lies of the other guests.
clear_words() {
  ! tr -d '\n\t' <"$scratch/out" | grep -q '[[:cntrl:]]' && ! tr -d '\n\t' <"$scratch/err" | grep -q '[[:cntrl:]]' &&
    [ "$(wc -c <"$scratch/err")" -lt 65536 ] && ! grep -q LIE "$scratch/out" &&
    { [ "$code" = 0 ] || grep -q '^remedy: ' "$scratch/err" || [ "$subcommand $code" = 'audit 1' ]; }
}

guest_lie() {
  id=$1 what=$2 told=$3 on=$4
  shift 4
  begin "$liar"
  order "$liar" "$told" "$on" >/dev/null
  words=
  for word; do
    [ "$word" != @ ] || word=$liar
    words="$words '$word'"
  done
  eval "watched $longest $most svirt $words"
  seen="$how $code after $ms ms, $kib KiB"
  # The next command gets honest answers, and svirt must accept them.
  order "$liar" honest >/dev/null
  if [ "$how" != ended ]; then verdict='done'
  elif ! clear_words; then verdict='done' seen="$seen: $(head -c 200 "$scratch/err" | tr -cd ' -~')"
  else verdict=refused
  fi
  result "$id" monitor "$what" "$verdict" svirt "$seen"
  # Undoes possible effects of a command that succeeded.
  case $told in error* | greet-and-go | greet-with-junk) svirt resume "$liar" >/dev/null 2>&1 || : ;; esac
  case $id in shutdown*) renew "$liar" ;; esac
}

guest_agent() {
  renew "$liar"
  order "$liar" agent "$3" >/dev/null
  watched "$longest" "$most" svirt qemu-agent-command "$liar" '{"execute":"guest-ping"}' --timeout 3
  [ "$how" = ended ] && clear_words && verdict=refused || verdict='done'
  result "$1" monitor "$2" "$verdict" svirt "$how $code after $ms ms, $kib KiB"
}

guest_other() {
  svirt destroy liar-neighbour >/dev/null 2>&1 || :
  renew "$liar"
  case $3 in
    start)
      svirt destroy "$liar" >/dev/null 2>&1 || :
      write_order "$liar" greet-never any
      svirt start "$liar" >/dev/null 2>&1 &
      sleep 3
      ;;
    detach)
      file "$here/left.img" 64
      svirt attach-disk "$liar" "$here/left.img" sda >/dev/null || say 'attach-disk'
      order "$liar" never any >/dev/null
      "$here/liar" watch $((2 * longest)) "$most" svirt detach-disk "$liar" sda >/dev/null 2>&1 3>&1
      ;;
    shutdown)
      order "$liar" never any >/dev/null
      svirt shutdown "$liar" >/dev/null 2>&1 &
      sleep 1
      ;;
  esac
  watched "$longest" "$most" svirt start liar-neighbour
  [ "$how $code" = 'ended 0' ] && verdict=refused || verdict='done'
  result "$1" monitor "$2" "$verdict" start "$how $code after $ms ms"
  watched $((2 * longest)) "$most" svirt destroy "$liar"
  wait
}

# Attaches a card; the liar reports it as removed, and leaves its tap to vhost-net, which shows no descriptor
# of it.
guest_tap() {
  modprobe vhost_net || say "$1: vhost_net"
  renew "$liar"
  tap=svirtkeep0 mac=52:54:00:00:0f:01
  svirt attach-interface "$liar" bridge "$bridge" --target "$tap" --model virtio --mac "$mac" >/dev/null || say "$1: attach-interface"
  order "$liar" keep vhost >/dev/null
  watched $((3 * longest)) "$most" svirt detach-interface "$liar" bridge --mac "$mac"
  held=$(await "$liar" held 30)
  if [ "$held" != 'done' ]; then verdict='done' why="not held: $held"
  elif [ ! -e "/sys/class/net/$tap" ]; then verdict=refused why="the interface is gone, exit $code"
  elif [ -e "/sys/class/net/$tap/master" ] || [ "$(($(cat "/sys/class/net/$tap/flags") & 1))" = 1 ]; then
    verdict='done' why="still connected, exit $code"
  elif svirt audit | grep -q "still holds the tap $tap"; then verdict=refused why="stays the guest's, exit $code"
  else verdict='done' why="without a claim, exit $code"
  fi
  result "$1" monitor "$2" "$verdict" detach "$why"
  svirt destroy "$liar" >/dev/null 2>&1 || :
  [ ! -e "/sys/class/net/$tap" ] || say "$1: $tap has outlived the guest"
}

# Attaches a disk; the liar reports it as removed, and keeps it.
guest_keep() {
  kept_file=${4:-$here}/keep.img
  renew "$liar"
  file "$kept_file" 1024
  before=$(label_of "$kept_file")
  svirt attach-disk "$liar" "$kept_file" sda >/dev/null || say "$3: attach-disk"
  order "$liar" keep "$3" >/dev/null
  watched $((3 * longest)) "$most" svirt detach-disk "$liar" sda
  held=$(await "$liar" held 5)
  if [ "$held" != 'done' ]; then verdict=refused why="$held"
  elif [ "$(label_of "$kept_file")" != "$before" ]; then verdict=refused why="stays the guest's, exit $code"
  else judge_kept "$3"
  fi
  result "$1" monitor "$2" "$verdict" detach "$why"
  svirt destroy "$liar" >/dev/null 2>&1 || :
}

# judge_kept HOW: after svirt has restored the label, checks whether the kept access still reaches the file.
judge_kept() {
  printf '%512s' '' | tr ' ' R | dd of="$kept_file" bs=512 seek=2047 conv=notrunc 2>/dev/null
  used=$(order "$liar" use W 10)
  end=$(tail -c 1 "$kept_file")
  why="label given back, used: $used, end: $end"
  case $used-$end in done-W) verdict='done' ;; *) verdict=refused ;; esac
  case $used-$1 in done-sendfile | done-pages) verdict='done' ;; esac
}

guest_picture() {
  renew "$liar"
  watched "$longest" "$most" svirt screenshot "$liar" "$scratch/picture"
  filled=$(order "$liar" fill-kept 96 60)
  [ "$filled" = 'done' ] && verdict='done' || verdict=refused
  result "$1" monitor "$2" "$verdict" screenshot "$how $code, then $filled"
  rm -f "$scratch/picture"
  svirt destroy "$liar" >/dev/null 2>&1 || :
}

# processes_of UID: prints a line for each process of the user that is not a zombie.
processes_of() {
  grep -ls "^Uid:[[:space:]]*$1[[:space:]]" /proc/[0-9]*/status | while read -r process; do
    # Read once: it may have ended before a second read.
    process=$(cat "$process" 2>/dev/null) || continue
    case $process in *"State:	Z"*"Threads:	1"*) ;; *) echo left ;; esac
  done
}

# Records a scene: guest_end runs all at once in one guest, and none of their processes may remain.
guest_linger() { printf '%s|%s|%s\n' "$1" "$2" "$3" >>"$scratch/lingerers"; }

guest_end() {
  renew "$liar"
  uid=$(uid_of "$(pid_of "$liar")")
  while IFS='|' read -r id what told; do
    printf '%s|%s|%s\n' "$id" "$what" "$(order "$liar" linger "$told")" >>"$scratch/lingering"
  done <"$scratch/lingerers"
  # The guest has ten seconds to end by itself, so the limit is longer.
  watched $((3 * longest)) "$most" svirt destroy "$liar"
  left=$(processes_of "$uid" | wc -l)
  while IFS='|' read -r id what lingers; do
    if [ "$lingers" != 'done' ]; then verdict=refused why=$lingers
    elif [ "$how $code" = 'ended 0' ] && [ "$left" = 0 ]; then verdict=refused why="ended within $ms ms"
    else verdict='done' why="$how $code, $left left: $(head -c 300 "$scratch/err")"
    fi
    result "$id" monitor "$what" "$verdict" destroy "$why"
  done <"$scratch/lingering"
}

# The guest ends by itself, and its reaper ends its remaining processes.
guest_leave() {
  renew "$liar"
  uid=$(uid_of "$(pid_of "$liar")")
  lingers=$(order "$liar" linger orphan)
  disk_label=$(label_of "$here/$liar/disk.img")
  write_order "$liar" exit 0
  waited=0
  # The label is given back last, after the folder has gone.
  while ! is_cleared && [ "$waited" -lt 600 ]; do
    waited=$((waited + 1))
    sleep 0.1
  done
  left=$(processes_of "$uid" | wc -l)
  [ "$lingers" = 'done' ] && is_cleared && verdict=refused || verdict='done'
  result "$1" monitor "$2" "$verdict" reap "$lingers, $left left, label $(label_of "$here/$liar/disk.img")"
}

# Returns whether nothing of the guest with this $uid and $disk_label remains.
is_cleared() {
  [ "$(processes_of "$uid" | wc -l)" = 0 ] && [ ! -e "$(run_folder_of "$liar")" ] &&
    [ "$(label_of "$here/$liar/disk.img")" != "$disk_label" ]
}

victims_are_well() {
  [ "$(cat "$victims/file")$(cat "$victims/folder/file")$(stat -c %a "$victims/file")" = untoucheduntouched644 ]
}

put_victims_back() {
  mkdir -p "$victims/folder"
  echo untouched >"$victims/file"
  echo untouched >"$victims/folder/file"
  chmod 644 "$victims/file"
}

guest_trap() {
  put_victims_back
  renew "$liar"
  folder=$(run_folder_of "$liar")
  trapped=$(order "$liar" trap "$3" 60)
  why=''
  for asked in audit "vncdisplay $liar" "qemu-agent-command $liar {} --timeout 2"; do
    # shellcheck disable=SC2086 # words
    watched "$longest" "$most" svirt $asked
    [ "$how" = ended ] && clear_words || why="$why ${asked%% *}: $how $code"
  done
  [ "$3" != deep ] || svirt destroy liar-neighbour >/dev/null 2>&1 || :
  "$here/liar" watch $((3 * longest)) "$most" svirt destroy "$liar" >/dev/null 2>&1 3>"$scratch/ended" &
  if [ "$3" = deep ]; then
    watched "$longest" "$most" svirt start liar-neighbour
    [ "$how $code" = 'ended 0' ] || why="$why neighbour: $how $code"
  fi
  wait $!
  read -r how code ms kib <"$scratch/ended"
  [ "$how $code" = 'ended 0' ] && [ "$ms" -lt $((longest * 1000)) ] || why="$why destroy: $how $code after $ms ms"
  [ ! -e "$folder" ] || why="$why folder stays"
  victims_are_well || why="$why victims"
  # By the policy a guest creates only files and sockets in its folder: most traps are refused at their
  # creation.
  case $trapped in done | EACCES) ;; *) why="$why no trap: $trapped" ;; esac
  if [ -z "$why" ]; then verdict=refused why="trap: $trapped, gone within $ms ms"; else verdict='done'; fi
  result "$1" monitor "$2" "$verdict" svirt "$why"
}

# ---- Logs

log_of() { printf '/var/log/svirt/%s.log' "$1"; }
log_size() { cat "$(log_of "$1")"* 2>/dev/null | wc -c; }

guest_logs() {
  renew "$liar"
  filled=$(order "$liar" fill 160 60)
  size=$(log_size "$liar")
  [ "$size" -gt $((log_mib * 1048576)) ] && verdict='done' || verdict=refused
  result log.fill monitor 'fills the file system of its log' "$verdict" size "$filled, $size bytes"
  svirt destroy "$liar" >/dev/null 2>&1 || :
  : >"$(log_of "$liar")"
  write_order "$liar" lines 160
  # Writing this much is slow by itself.
  watched $((3 * longest)) "$most" svirt start "$liar"
  [ "$how" = ended ] && [ "$code" != 0 ] && clear_words && verdict=refused || verdict='done'
  result log.lines monitor 'ends at once, with 160 MiB of lines in its log' "$verdict" start "$how $code after $ms ms, $kib KiB"
  : >"$(log_of "$liar")"
  write_order "$liar" last-words
  watched "$longest" "$most" svirt start "$liar"
  [ "$how" = ended ] && [ "$code" != 0 ] && clear_words && verdict=refused || verdict='done'
  result log.escapes monitor 'ends at once, with escape sequences in its log' "$verdict" start "$how $code after $ms ms"
}

control_logs() {
  head -c 67108865 /dev/zero >"$here/control/log"
  [ "$(wc -c <"$here/control/log")" -gt $((log_mib * 1048576)) ] && verdict='done' || verdict=refused
  result log.fill monitor 'fills the file system of its log' "$verdict"
  tr '\0' '\n' <"$here/control/log" >"$here/control/lines"
  # shellcheck disable=SC2016
  watched 5 64 sh -c 'IFS=; lines=$(cat "$0"; echo .); echo "${#lines}"' "$here/control/lines"
  [ "$how" = ended ] && verdict=refused || verdict='done'
  result log.lines monitor 'ends at once, with 160 MiB of lines in its log' "$verdict" read "$how"
  printf 'LIE \033]0;LIE\007\n' >"$here/control/log"
  watched 5 64 tail -n 1 "$here/control/log"
  clear_words && verdict=refused || verdict='done'
  result log.escapes monitor 'ends at once, with escape sequences in its log' "$verdict" tail "$how"
}
