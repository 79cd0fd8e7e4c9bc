/**
 * Two guests on one bridge. The first has a virtio card with two queues. The card of the second accepts every
 * frame and drops it, because its guest has no driver; the host counts the frame as sent.
 */
export const SCENE = `
  clean
  copy halt a.img b.img
  ip link show svirtbr0 >/dev/null 2>&1 || ip link add svirtbr0 type bridge
  ip link set svirtbr0 up
  card() {
    printf '<interface type="bridge"><mac address="52:54:00:00:00:%s"/><source bridge="svirtbr0"/>%s<model type="%s"/>%s</interface>' "$1" "$2" "\${4-virtio}" "$3"
  }
  guest life-a "$(disk $here/a.img)$(card 01 "" '<driver queues="2"/>')"
  guest life-b "$(disk $here/b.img)$(card 02 '<target dev="life-tap"/>' "" rtl8139)"
  ports() { ls /sys/class/net/svirtbr0/brif; }
  announce() {
    svirt qemu-monitor-command "$1" '{"execute":"announce-self","arguments":{"initial":50,"max":100,"rounds":5,"step":10}}' >/dev/null
  }
  count() { cat /sys/class/net/$1/statistics/$2; }
`;

/** Removes the bridge. */
export const REMOVE = "ip link del svirtbr0";
