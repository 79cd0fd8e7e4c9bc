import type { Monitor } from "../../host/monitor.ts";

/** Returns the methods of a monitor, for a caller that replaces some of them. */
export function callsOf(monitor: Monitor): Monitor {
  return {
    allow: (timeoutMs) => monitor.allow(timeoutMs),
    execute: (command, args) => monitor.execute(command, args),
    handOver: (file) => monitor.handOver(file),
    passTap: (tap) => monitor.passTap(tap),
    handPeer: (peer) => monitor.handPeer(peer),
    handListener: (name, display) => monitor.handListener(name, display),
    openPipe: (options) => monitor.openPipe(options),
    waitUntilDeleted: (device, timeoutMs) => monitor.waitUntilDeleted(device, timeoutMs),
    close: () => monitor.close(),
  };
}
