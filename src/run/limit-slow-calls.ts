import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";

/**
 * Returns the host with a common deadline for all unmounting and for all changes of devices, since a server
 * may not answer, and a program may use a device. The rest is left to svirt recover.
 */
export function slowWithin(host: Host, wholeMs: number): Host {
  const end = host.nowMs() + wholeMs;
  const leftFor = (attempt: string, remedy: string): number => {
    const leftMs = end - host.nowMs();
    if (leftMs > 0) return leftMs;
    throw new SvirtError(
      `Cannot ${attempt}: other mounts and devices of guests that have ended took ${wholeMs / 1000} seconds`,
      { kind: "timeout", remedy },
    );
  };
  return {
    ...host,
    async unmount(above, path) {
      const remedy = "See whether the server runs and the network leads to it: svirt recover";
      await host.unmount(above, path, leftFor(`unmount ${path}`, remedy));
    },
    async writeControls(writes, limitMs, lock) {
      const leftMs = leftFor("return a device to the host", "End the programs that use it: svirt recover");
      await host.writeControls(writes, Math.min(leftMs, limitMs), lock);
    },
  };
}
