import type { Domain } from "../../domain/domain.ts";
import { listPorts } from "../../domain/ports.ts";
import type { Tpm } from "../../domain/tpm.ts";
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
    ...tpms.flatMap(listUnreadyTpm),
    ...filesystems.map(() => unready("filesystem", "share folders with guests")),
    ...videos.flatMap(({ driver }) =>
      driver?.name === "vhostuser" ? [unready("video", "start a program that draws")] : [],
    ),
    ...(vsock === undefined ? [] : [unready("vsock", "open the host's vsock for a guest")]),
  ];
}

/** What swtpm_setup(8) and a store of secrets would do. */
function listUnreadyTpm({ backend }: Tpm): readonly Unready[] {
  if (backend.type === "passthrough") return [];
  if (backend.type === "external") return [unready("tpm", "connect a guest to another program's TPM")];
  const asked = [
    ["encryption", backend.encryption, "keep secrets, to encrypt a TPM's state with"],
    ["profile", backend.profile, "choose what an emulated TPM can do"],
    ["active_pcr_banks", backend.banks, "choose an emulated TPM's PCR banks"],
  ] as const;
  return asked.flatMap(([name, found, missing]) =>
    found === undefined
      ? []
      : [{ place: `/domain/devices/tpm/backend/${name}`, missing, remedy: "Leave it out." }],
  );
}

/** Backends that a start makes or opens. */
const READY_CHARDEVS: ReadonlySet<string> = new Set(["pty", "null", "file", "unix", "dev", "pipe"]);

function unready(element: string, missing: string): Unready {
  return { place: `/domain/devices/${element}`, missing, remedy: "Leave the device out." };
}
