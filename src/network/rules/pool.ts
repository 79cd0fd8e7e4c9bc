import { SvirtError } from "../../errors.ts";
import type { ForwardMode } from "../forms/mode-rules.ts";

/** Modes of a network with macvtaps for guests. */
export type MacvtapMode = Extract<ForwardMode, "bridge" | "private" | "vepa" | "passthrough">;

/** Devices of the host for a network's macvtaps. */
export interface Pool {
  readonly mode: MacvtapMode;
  /** A nonempty list, in the order of the XML. */
  readonly devices: readonly string[];
}

/**
 * Chooses the device with the fewest uses, the first of several. In mode passthrough each device has a single
 * guest. Throws "in-use". networkAllocatePort() of libvirt
 */
export function chooseDevice(name: string, pool: Pool, uses: ReadonlyMap<string, number>): string {
  const countOf = (device: string): number => uses.get(device) ?? 0;
  const least = Math.min(...pool.devices.map(countOf));
  const chosen = pool.devices.find((device) => countOf(device) === least);
  if (chosen !== undefined && (pool.mode !== "passthrough" || least === 0)) return chosen;
  throw new SvirtError(
    `internal error: network '${name}' requires exclusive access to interfaces, but none are available`,
    {
      kind: "in-use",
      libvirt: "INTERNAL_ERROR",
      from: "NETWORK",
      remedy: `Add a device: svirt net-update ${name} add-last forward-interface "<interface dev='…'/>" --live --config; or stop a guest.`,
    },
  );
}
