import type { Host, Monitor } from "../host.ts";

/**
 * Lets all that is done with that host talk to one QEMU in one conversation, where each would begin its own: a start
 * greets QEMU, asks for its threads and lets it run. Nobody else can talk to QEMU meanwhile. Ends the conversation
 * before it returns or throws.
 */
export async function inOneConversation<Result>(
  host: Host,
  work: (host: Host) => Promise<Result>,
): Promise<Result> {
  let held: { readonly path: string; readonly monitor: Monitor } | undefined;
  const connectMonitor: Host["connectMonitor"] = async (path, timeoutMs) => {
    if (held !== undefined && held.path !== path) held = end(held);
    held ??= { path, monitor: await host.connectMonitor(path, timeoutMs) };
    return leftOpen(held.monitor);
  };
  try {
    return await work({ ...host, connectMonitor });
  } finally {
    held?.monitor.close();
  }
}

function end({ monitor }: { readonly monitor: Monitor }): undefined {
  monitor.close();
  return undefined;
}

function leftOpen(monitor: Monitor): Monitor {
  return {
    execute: (command, args) => monitor.execute(command, args),
    handOver: (file) => monitor.handOver(file),
    handTap: (tap) => monitor.handTap(tap),
    handPeer: (peer) => monitor.handPeer(peer),
    handListener: (name, display) => monitor.handListener(name, display),
    openPipe: (wish) => monitor.openPipe(wish),
    waitUntilDeleted: (device, timeoutMs) => monitor.waitUntilDeleted(device, timeoutMs),
    close: () => undefined,
  };
}
