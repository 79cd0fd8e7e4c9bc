import type { Domain } from "../../domain/domain.ts";
import { listPorts } from "../../domain/ports.ts";
import type { Unready } from "./unready.ts";

/** What devices are connected to besides files: other programs, the host's screen and sound, the network. */
export function listUnreadyBackends({ devices, os }: Domain): readonly Unready[] {
  const { audios, filesystems, graphics, rngs, tpms, videos, vsock } = devices;
  return [
    ...(os.nvram?.type === "network"
      ? [{ place: "/domain/os/nvram", missing: "keep variables on the network", remedy: "Name a file." }]
      : []),
    ...listPorts(devices).flatMap(({ device, chardev }) =>
      READY_CHARDEVS.has(chardev.type) ? [] : [unready(device, `connect guests by ${chardev.type}`)],
    ),
    ...graphics.flatMap(({ type }) => (type === "vnc" ? [] : [unready("graphics", `do ${type} displays`)])),
    ...graphics.flatMap((found) =>
      found.type === "vnc" && (found.websocket ?? 0) !== 0 ? [unready("graphics", "open WebSockets")] : [],
    ),
    ...audios.flatMap(({ type }) => (type === "none" ? [] : [unready("audio", `give guests ${type} sound`)])),
    ...rngs.flatMap(({ backend }) =>
      backend.model === "egd" ? [unready("rng", "connect to entropy daemons")] : [],
    ),
    ...tpms.map(() => unready("tpm", "start a TPM")),
    ...filesystems.map(() => unready("filesystem", "share folders with guests")),
    ...videos.flatMap(({ driver }) =>
      driver?.name === "vhostuser" ? [unready("video", "start a program that draws")] : [],
    ),
    ...(vsock === undefined ? [] : [unready("vsock", "open the host's vsock for a guest")]),
  ];
}

/** Backends that a start makes or opens. */
const READY_CHARDEVS: ReadonlySet<string> = new Set(["pty", "null", "file", "unix", "dev", "pipe"]);

function unready(element: string, missing: string): Unready {
  return { place: `/domain/devices/${element}`, missing, remedy: "Leave the device out." };
}
