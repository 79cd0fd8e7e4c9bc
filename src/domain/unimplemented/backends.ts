import { withName } from "../../xml/refusal.ts";
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

/** Backends that a start creates or opens. */
const READY_CHARDEVS: ReadonlySet<string> = new Set(["pty", "null", "file", "unix", "dev", "pipe"]);
/** Backends of a SPICE display, which is refused as well. */
const OF_SPICE: ReadonlySet<string> = new Set(["spicevmc", "spiceport", "qemu-vdagent"]);
const OTHER_BACKEND = "Write type='pty', or type='unix'.";

/** Rules for shared folders. 9p is implemented as far as a QEMU without capabilities can serve it. */
const FOLDERS: readonly DeviceRule<Filesystem>[] = [
  {
    place: "binary/sandbox",
    missing: "let virtiofsd make a sandbox of its own",
    why: "it takes capabilities, and virtiofsd has none: it runs as the guest's user in the guest's SELinux context",
    isAsked: ({ binary }) => binary?.sandbox !== undefined,
  },
  {
    place: "binary/lock",
    missing: "have virtiofsd pass locks on to the host",
    why: "it has no such option since it is written in Rust",
    remedy: "Write <lock posix='off' flock='off'/>.",
    isAsked: ({ binary }) => binary?.lock?.posix === true || binary?.lock?.flock === true,
  },
  {
    place: "idmap",
    missing: "let a guest's users be users of the host's",
    why: "it takes a user namespace that root sets up; what they make is the folder's owner's in the end",
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

/** Rules for backends other than files: other programs, the host's screen and sound, the network. */
export const BACKEND_RULES = {
  /** Serial and parallel ports, consoles and channels. */
  ports: [
    {
      place: "/domain/devices/*/@type",
      missing: `connect a guest's ports and consoles by anything but ${[...READY_CHARDEVS].join(", ")}`,
      remedy: OTHER_BACKEND,
      findIn: ({ devices }) =>
        listPorts(devices).flatMap((port) => {
          const { type } = port.chardev;
          if (READY_CHARDEVS.has(type)) return [];
          const place = portPlace(devices, port);
          const remedy = OF_SPICE.has(type) ? withName(LEAVE_OUT, place) : OTHER_BACKEND;
          return [{ place, missing: `connect guests by ${type}`, remedy, ...never(type) }];
        }),
    },
  ],
  graphics: [
    device("graphics", ({ graphics }) => graphics, {
      missing: "do displays other than VNC's",
      remedy: "Write <graphics type='vnc'/> instead, or leave it out if the guest has one.",
      find: ({ type }) => (type === "vnc" ? undefined : { missing: `do ${type} displays` }),
    }),
    device("graphics", ({ graphics }) => graphics, {
      within: "@websocket",
      missing: "open WebSockets",
      remedy: "Leave it out, and connect by VNC.",
      find: (found) => (found.type === "vnc" && (found.websocket ?? 0) !== 0 ? {} : undefined),
    }),
  ],
  audios: [
    device("audio", ({ audios }) => audios, {
      missing: "give guests sound of any type but none",
      remedy: "Write <audio type='none'/>: the guest keeps its sound card, and nothing is heard.",
      find: ({ type }) => (type === "none" ? undefined : { missing: `give guests ${type} sound` }),
    }),
  ],
  rngs: [
    device("rng", ({ rngs }) => rngs, {
      within: "backend",
      missing: "reach entropy daemons otherwise than at their Unix socket",
      remedy:
        "Write type='unix' and <source mode='connect' path='…'/>, or <backend model='random'>/dev/urandom</backend>.",
      find: ({ backend }) =>
        backend.model === "egd" && (backend.type !== "unix" || backend.source.mode === "bind")
          ? {}
          : undefined,
    }),
  ],
  // These would need swtpm_setup(8) and a store of secrets.
  tpms: [
    emulatedTpm("encryption", "keep secrets, to encrypt a TPM's state with", "encryption"),
    emulatedTpm("profile", "choose what an emulated TPM can do", "profile"),
    emulatedTpm("active_pcr_banks", "choose an emulated TPM's PCR banks", "banks"),
  ],
  filesystems: forEach("filesystem", ({ devices }) => devices.filesystems, FOLDERS),
  videos: [
    device("video", ({ videos }) => videos, {
      within: "driver/@name",
      missing: "start a program that draws",
      remedy: "Write name='qemu'.",
      find: ({ driver }) => (driver?.name === "vhostuser" ? {} : undefined),
    }),
  ],
  vsock: [
    device("vsock", ({ vsock }) => (vsock === undefined ? [] : [vsock]), {
      missing: "open the host's vsock for a guest",
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

/** Returns the reason for a backend that will never be implemented. */
function never(type: string): Partial<Unimplemented> {
  return type === "stdio" ? { why: "they have no terminal" } : {};
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
    remedy: withName(remedy, place),
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
