import type { Filesystem } from "../devices/filesystem.ts";
import type { Domain } from "../domain.ts";
import { listPorts } from "../ports.ts";
import { type DeviceRule, forEach, once, type Unready, type UnreadyRule } from "./rule.ts";

/** Backends that a start makes or opens. */
const READY_CHARDEVS: ReadonlySet<string> = new Set(["pty", "null", "file", "unix", "dev", "pipe"]);
const LEAVE_DEVICE_OUT = "Leave the device out.";

/** Folders that QEMU itself serves, 9p, are done as far as a QEMU without any capability can. */
const FOLDERS: readonly DeviceRule<Filesystem>[] = [
  {
    place: "binary/sandbox",
    missing: "let virtiofsd make a sandbox of its own",
    why: "it takes capabilities, and virtiofsd has none: it runs as the guest's user in the guest's SELinux context",
    remedy: "Leave it out.",
    isAsked: ({ binary }) => binary?.sandbox !== undefined,
  },
  {
    place: "binary/lock",
    missing: "have virtiofsd pass locks on to the host",
    why: "it has no such option since it is written in Rust",
    remedy: "Leave it out, or write 'off'.",
    isAsked: ({ binary }) => binary?.lock?.posix === true || binary?.lock?.flock === true,
  },
  {
    place: "idmap",
    missing: "let a guest's users be users of the host's",
    why: "it takes a user namespace that root sets up; what they make is the folder's owner's in the end",
    remedy: "Leave it out.",
    isAsked: ({ idmap }) => idmap !== undefined,
  },
  {
    place: "driver/@type",
    missing: "share a folder by handles",
    why: "QEMU has no such driver since its version 4.0",
    remedy: "Write type='path'.",
    isAsked: ({ driver }) => driver?.type === "handle",
  },
  {
    place: "@accessmode",
    missing: "let a guest make files that belong to others",
    why: "it takes a capability (CAP_CHOWN), and QEMU has none",
    remedy:
      "Write accessmode='mapped' (owners and modes are the guest's own affair), 'squash', or <readonly/>.",
    isAsked: ({ accessmode, driver, readonly }) =>
      !readonly && driver?.type !== "virtiofs" && (accessmode ?? "passthrough") === "passthrough",
  },
];

/** What devices can be connected to besides files: other programs, the host's screen and sound, the network. */
export const UNREADY_BACKENDS: readonly UnreadyRule[] = [
  {
    place: "/domain/os/nvram",
    missing: "keep variables on the network",
    remedy: "Name a file.",
    findIn: ({ os }) => once(os.nvram?.type === "network"),
  },
  {
    place: "/domain/devices/*/@type",
    missing: `connect a guest's ports and consoles by anything but ${[...READY_CHARDEVS].join(", ")}`,
    remedy: LEAVE_DEVICE_OUT,
    findIn: ({ devices }) =>
      listPorts(devices).flatMap(({ device, chardev: { type } }) =>
        READY_CHARDEVS.has(type)
          ? []
          : [{ place: `/domain/devices/${device}`, missing: `connect guests by ${type}`, ...never(type) }],
      ),
  },
  device("graphics", "do displays other than VNC's", ({ graphics }) =>
    graphics.flatMap(({ type }) => (type === "vnc" ? [] : [{ missing: `do ${type} displays` }])),
  ),
  device("graphics", "open WebSockets", ({ graphics }) =>
    graphics.flatMap((found) => once(found.type === "vnc" && (found.websocket ?? 0) !== 0)),
  ),
  device("audio", "give guests sound of any type but none", ({ audios }) =>
    audios.flatMap(({ type }) => (type === "none" ? [] : [{ missing: `give guests ${type} sound` }])),
  ),
  device("rng/backend", "reach entropy daemons otherwise than at their Unix socket", ({ rngs }) =>
    rngs.flatMap(({ backend }) =>
      once(backend.model === "egd" && (backend.type !== "unix" || backend.source.mode === "bind")),
    ),
  ),
  // What swtpm_setup(8) and a store of secrets would do.
  emulatedTpm("encryption", "keep secrets, to encrypt a TPM's state with", "encryption"),
  emulatedTpm("profile", "choose what an emulated TPM can do", "profile"),
  emulatedTpm("active_pcr_banks", "choose an emulated TPM's PCR banks", "banks"),
  ...forEach("filesystem", ({ devices }) => devices.filesystems, FOLDERS),
  device("video", "start a program that draws", ({ videos }) =>
    videos.flatMap(({ driver }) => once(driver?.name === "vhostuser")),
  ),
  device("vsock", "open the host's vsock for a guest", ({ vsock }) => once(vsock !== undefined)),
];

/** That is not to come. */
function never(type: string): Partial<Unready> {
  return type === "stdio" ? { why: "they have no terminal" } : {};
}

function device(
  element: string,
  missing: string,
  find: (devices: Domain["devices"]) => readonly Partial<Unready>[],
): UnreadyRule {
  return {
    place: `/domain/devices/${element}`,
    missing,
    remedy: LEAVE_DEVICE_OUT,
    findIn: ({ devices }) => find(devices),
  };
}

function emulatedTpm(element: string, missing: string, key: "encryption" | "profile" | "banks"): UnreadyRule {
  return {
    ...device(`tpm/backend/${element}`, missing, ({ tpms }) =>
      tpms.flatMap(({ backend }) => once(backend.type === "emulator" && backend[key] !== undefined)),
    ),
    remedy: "Leave it out.",
  };
}
