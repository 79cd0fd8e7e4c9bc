import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";

/** Returns the host with one deadline for all unmounting, since a server may not answer. The rest is left to svirt recover. */
export function unmountWithin(host: Host, wholeMs: number): Host {
  const end = host.nowMs() + wholeMs;
  return {
    ...host,
    async unmount(above, path) {
      const leftMs = end - host.nowMs();
      if (leftMs <= 0) throw tooLate(path, wholeMs);
      await host.unmount(above, path, leftMs);
    },
  };
}

function tooLate(path: string, wholeMs: number): SvirtError {
  return new SvirtError(
    `Cannot unmount ${path}: other mounts of guests that have ended took ${wholeMs / 1000} seconds`,
    { kind: "timeout", remedy: "See whether the server runs and the network leads to it: svirt recover" },
  );
}
