import type { Domain } from "../../domain/domain.ts";
import { type DeviceRule, forEach, type UnreadyRule } from "./unready.ts";

/** Devices that another program serves, which QEMU would connect to: one that listens for it is another thing. */
export const UNREADY_SOCKETS: readonly UnreadyRule[] = [
  ...served("disk", ({ disks }) => disks, {
    place: "source",
    isAsked: ({ type }) => type === "vhostuser",
  }),
  ...served("filesystem", ({ filesystems }) => filesystems, {
    place: "source/@socket",
    isAsked: ({ source }) => source.socket !== undefined,
  }),
  ...served("interface", ({ interfaces }) => interfaces, {
    place: "source",
    isAsked: (found) => found.type === "vhostuser" && found.source?.mode !== "server",
  }),
  ...served("rng", ({ rngs }) => rngs, {
    place: "backend",
    isAsked: ({ backend }) => backend.model === "egd" && backend.type === "unix",
  }),
  ...served("shmem", ({ shmems }) => shmems, {
    place: "server",
    isAsked: ({ server }) => server !== undefined,
  }),
  ...served("tpm", ({ tpms }) => tpms, {
    place: "backend",
    isAsked: ({ backend }) => backend.type === "external",
  }),
];

function served<Device>(
  element: string,
  list: (devices: Domain["devices"]) => readonly Device[],
  rule: Pick<DeviceRule<Device>, "place" | "isAsked">,
): readonly UnreadyRule[] {
  const asked = {
    ...rule,
    missing: "connect a guest to another program's socket",
    why: "its SELinux domain would need the right to whatever domain that program has",
    remedy: "Leave the device out.",
  };
  return forEach(element, ({ devices }) => list(devices), [asked]);
}
