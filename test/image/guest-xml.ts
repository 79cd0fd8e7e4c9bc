/** Returns the XML of a guest that runs until svirt ends it; its firmware finds nothing to boot. */
export function guestXml(name: string, type: "kvm" | "qemu", devices = ""): string {
  return `<domain type='${type}'><name>${name}</name><memory>16384</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>${devices}<memballoon model='none'/></devices></domain>`;
}

/** Returns a shell command with the XML on standard input. */
export function withXml(command: string, xml: string): string {
  return `${command} <<'END'\n${xml}\nEND`;
}
