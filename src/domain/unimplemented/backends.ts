import { nameInRemedy } from "../../xml/refusal.ts";
import type { Filesystem } from "../devices/filesystem.ts";
import type { Domain } from "../domain.ts";
import { listPorts, type Port } from "../ports.ts";
import {
  type DeviceRule,
  devicePlace,
  forEach,
  LEAVE_OUT,
  type Unimplemented,
  type UnimplementedRule,
} from "./rule.ts";

/** Backends created or opened by a start. */
const READY_CHARDEVS: ReadonlySet<string> = new Set(["pty", "null", "file", "unix", "dev", "pipe"]);
/** Backends of a SPICE display; it is refused as well. */
const OF_SPICE: ReadonlySet<string> = new Set(["spicevmc", "spiceport", "qemu-vdagent"]);
const OTHER_BACKEND = "Write type='pty', or type='unix'.";

/** Rules for shared folders. 9p is implemented as far as a QEMU without capabilities can serve it. */
const FOLDERS: readonly DeviceRule<Filesystem>[] = [
  {
    place: "binary/sandbox",
    missing: "let virtiofsd create its own sandbox",
    why: "that requires capabilities, and virtiofsd has none: it runs as the guest's user in the guest's SELinux context",
    isAsked: ({ binary }) => binary?.sandbox !== undefined,
  },
  {
    place: "binary/lock",
    missing: "let virtiofsd forward file locks to the host",
    why: "the current virtiofsd, written in Rust, has no such option",
    remedy: "Write <lock posix='off' flock='off'/>.",
    isAsked: ({ binary }) => binary?.lock?.posix === true || binary?.lock?.flock === true,
  },
  {
    place: "idmap",
    missing: "map users of the guest to users of the host",
    why: "that requires a user namespace set up by root; all new files belong to the folder's owner",
    isAsked: ({ idmap }) => idmap !== undefined,
  },
  {
    place: "driver/@type",
    missing: "share a folder by file handles",
    why: "QEMU removed that driver in version 4.0",
    remedy: "Write type='path'.",
    isAsked: ({ driver }) => driver?.type === "handle",
  },
  {
    place: "@accessmode",
    missing: "let a guest create files of other owners",
    why: "that requires the capability CAP_CHOWN, and QEMU has no capabilities",
    remedy:
      "Write accessmode='mapped' (owners and modes are seen by the guest only), 'squash', or <readonly/>.",
    isAsked: ({ accessmode, driver, readonly }) =>
      !readonly && driver?.type !== "virtiofs" && (accessmode ?? "passthrough") === "passthrough",
  },
];

/** Rules for backends other than files: other programs, the host's screen and sound, the network. */
export const BACKEND_RULES = {
  /** Serial and parallel ports, consoles and channels. */
  ports: [
    {
      place: "/domain/devices/*/@type",
      missing: `connect ports and consoles by types other than ${[...READY_CHARDEVS].join(", ")}`,
      remedy: OTHER_BACKEND,
      findIn: ({ devices }) =>
        listPorts(devices).flatMap((port) => {
          const { type } = port.chardev;
          if (READY_CHARDEVS.has(type)) return [];
          const place = portPlace(devices, port);
          const remedy = OF_SPICE.has(type) ? nameInRemedy(LEAVE_OUT, place) : OTHER_BACKEND;
          return [{ place, missing: `connect ports and consoles by ${type}`, remedy, ...never(type) }];
        }),
    },
  ],
  graphics: [
    device("graphics", ({ graphics }) => graphics, {
      missing: "support displays other than VNC",
      remedy: "Write <graphics type='vnc'/> instead, or leave it out if the guest has a VNC display.",
      find: ({ type }) => (type === "vnc" ? undefined : { missing: `support ${type} displays` }),
    }),
    device("graphics", ({ graphics }) => graphics, {
      within: "@websocket",
      missing: "listen for WebSocket connections",
      remedy: "Leave it out, and connect by VNC.",
      find: (found) => (found.type === "vnc" && (found.websocket ?? 0) !== 0 ? {} : undefined),
    }),
  ],
  audios: [
    device("audio", ({ audios }) => audios, {
      missing: "support audio backends other than none",
      remedy: "Write <audio type='none'/>: the guest keeps its sound card, and the host plays no sound.",
      find: ({ type }) => (type === "none" ? undefined : { missing: `support ${type} audio` }),
    }),
  ],
  rngs: [
    device("rng", ({ rngs }) => rngs, {
      within: "backend",
      missing: "connect to entropy daemons except by their Unix socket",
      remedy:
        "Write type='unix' and <source mode='connect' path='…'/>, or <backend model='random'>/dev/urandom</backend>.",
      find: ({ backend }) =>
        backend.model === "egd" && (backend.type !== "unix" || backend.source.mode === "bind")
          ? {}
          : undefined,
    }),
  ],
  // These would need swtpm_setup(8), which gets the secret by a descriptor.
  tpms: [
    emulatedTpm("encryption", "pass a secret to swtpm for the encryption of a TPM's state", "encryption"),
    emulatedTpm("profile", "set the profile of an emulated TPM", "profile"),
    emulatedTpm("active_pcr_banks", "set the PCR banks of an emulated TPM", "banks"),
  ],
  filesystems: forEach("filesystem", ({ devices }) => devices.filesystems, FOLDERS),
  videos: [
    device("video", ({ videos }) => videos, {
      within: "driver/@name",
      missing: "start vhost-user graphics programs",
      remedy: "Write name='qemu'.",
      find: ({ driver }) => (driver?.name === "vhostuser" ? {} : undefined),
    }),
  ],
  vsock: [
    device("vsock", ({ vsock }) => (vsock === undefined ? [] : [vsock]), {
      missing: "open /dev/vhost-vsock",
      remedy: "Leave it out, or connect guest and host by <channel type='unix'>.",
      find: () => ({}),
    }),
  ],
} as const satisfies Readonly<Record<string, readonly UnimplementedRule[]>>;

/** Returns the XPath of a port; a serial port may be a `<console>`. */
export function portPlace(devices: Domain["devices"], { chardev, device }: Port): string {
  switch (device) {
    case "serial": {
      const { consoles, serials } = devices;
      const console = consoles.find((found) => found === chardev);
      if (console !== undefined) return devicePlace("console", consoles, console);
      return devicePlace<unknown>("serial", serials, chardev);
    }
    case "parallel":
      return devicePlace("parallel", devices.parallels, chardev);
    case "console":
      return devicePlace("console", devices.consoles, chardev);
    case "channel":
      return devicePlace("channel", devices.channels, chardev);
  }
}

/** Returns the reason for a backend outside svirt's scope. */
function never(type: string): Partial<Unimplemented> {
  return type === "stdio" ? { why: "QEMU runs without a terminal" } : {};
}

/** Rule for each device of a family. */
interface Backend<Device> {
  readonly within?: string;
  readonly missing: string;
  readonly remedy: string;
  find(device: Device): Partial<Unimplemented> | undefined;
}

function device<Device>(
  element: string,
  list: (devices: Domain["devices"]) => readonly Device[],
  { find, missing, remedy, within }: Backend<Device>,
): UnimplementedRule {
  const end = within === undefined ? "" : `/${within}`;
  const place = `/domain/devices/${element}${end}`;
  return {
    place,
    missing,
    remedy: nameInRemedy(remedy, place),
    findIn: ({ devices }) => {
      const all = list(devices);
      return all.flatMap((one) => {
        const found = find(one);
        return found === undefined ? [] : [{ place: `${devicePlace(element, all, one)}${end}`, ...found }];
      });
    },
  };
}

function emulatedTpm(
  element: string,
  missing: string,
  key: "encryption" | "profile" | "banks",
): UnimplementedRule {
  return device("tpm", ({ tpms }) => tpms, {
    within: `backend/${element}`,
    missing,
    remedy: LEAVE_OUT,
    find: ({ backend }) => (backend.type === "emulator" && backend[key] !== undefined ? {} : undefined),
  });
}
