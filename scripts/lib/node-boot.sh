# shellcheck shell=bash disable=SC2154 # RUN and functions of scripts/node
# Sourced by scripts/node: waits for the end of a boot.

# wait_for_boot COUNT: waits until more than COUNT boots are complete and SSH answers. A boot has failed when
# the console is silent for too long: a busy machine boots slowly, and says so. The emulator occasionally
# loses a processor's timer early in a boot: the kernel reports it, and is reset.
wait_for_boot() {
  local since=$SECONDS size='' last='' stalls seen
  seen=$(node_stalls)
  until (($(count_boots) > $1)) && ssh_call -o ConnectTimeout=60 true 2>/dev/null; do
    stalls=$(node_stalls)
    if ((stalls > seen)); then
      progress "node: a processor has stopped, booting once more"
      echo system_reset >"$RUN/monitor.in"
      seen=$stalls
    fi
    is_running || give_up "Cannot start the node: it powered off" 1
    size=$(stat -c %s "$RUN/console.log")
    [[ $size == "$last" ]] || last=$size since=$SECONDS
    ((SECONDS - since < ${SVIRT_NODE_TIMEOUT:-180})) ||
      give_up "Cannot reach the node: its console has been silent for $((SECONDS - since)) s" 6
    sleep 0.2
  done
}

# count_boots: prints how many times the start-up of the node has ended.
count_boots() {
  grep -c 'svirt-node: up' "$RUN/console.log" || true
}

# give_up TEXT STATUS: shows the end of the console too.
give_up() {
  tail -n 20 "$RUN/console.log" >&2
  fail "$@"
}

# A vCPU of a guest on the node that waits in the kernel for minutes was seen once: all other processes then
# wait for it.
node_stalls() {
  grep -cE "kthread timer wakeup didn.t happen|timer doesn.t work through|task CPU [0-9]+/KVM:[0-9]+ blocked" \
    "$RUN/console.log" || true
}
