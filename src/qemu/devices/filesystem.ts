import type { Filesystem } from "../../domain/devices/filesystem.ts";
import { type Arguments, jsonArguments, keyValues } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import { filesystemId, type Launch, passedName, peerPair, virtiofsSocket } from "../launch.ts";
import { refuseUnsharedMemory } from "../machine/refuse-unshared-memory.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath, refuseUnproven } from "../refusal.ts";

/** QEMU's security model for each accessmode of libvirt. */
const SECURITY = { mapped: "mapped", passthrough: "passthrough", squash: "none" } as const;

/** -fsdev or -chardev, and -device, for each shared folder. qemuBuildFilesystemCommandLine() of libvirt */
export function formatFilesystems(guest: Guest, launch: Launch | undefined): Arguments {
  return guest.devices.filesystems.flatMap((found, index) => {
    const id = filesystemId(guest.devices.filesystems, index);
    const path = devicePath("filesystem", index);
    if (found.driver?.type === "virtiofs") {
      refuseUnsharedMemory(guest, path);
      return formatVirtiofs(guest, found, { id, path, launch });
    }
    refuseOtherModes(found, path);
    if (found.readonly) refuseUnproven(launch, `${path}/readonly`, "a read-only folder");
    return format9p(guest, found, { id, launch });
  });
}

/** Refuses fmode and dmode unless QEMU maps the guest's owners and modes. */
function refuseOtherModes({ accessmode, driver, fileMode, directoryMode }: Filesystem, path: string): void {
  if (driver?.type === "handle" && (accessmode ?? "passthrough") !== "passthrough") {
    throw cannotTranslate(
      `${path}/@accessmode`,
      "the driver handle supports only passthrough",
      "Write passthrough.",
    );
  }
  if (accessmode === "mapped" || (fileMode ?? directoryMode) === undefined) return;
  const place = fileMode === undefined ? "@dmode" : "@fmode";
  throw cannotTranslate(`${path}/${place}`, "it requires accessmode='mapped'", "Write accessmode='mapped'.");
}

function format9p(
  guest: Guest,
  found: Filesystem,
  { id, launch }: { readonly id: string; readonly launch: Launch | undefined },
): Arguments {
  const fsdev = `fsdev-${id}`;
  const pairs = keyValues([
    ...localPairs(found),
    ["writeout", found.driver?.wrpolicy],
    ["id", fsdev],
    ["path", passedName(launch, { path: found.source.dir ?? "", purpose: "folder", access: "read-only" })],
  ]);
  const kind = found.driver?.type === "handle" ? "handle" : "local";
  return [
    "-fsdev",
    `${kind},${pairs}${found.readonly ? ",readonly=on" : ""}`,
    ...jsonArguments("-device", {
      driver: virtioDriver("virtio-9p", found.model),
      ...virtioKeys(found.driver),
      id,
      fsdev,
      mount_tag: found.target.dir,
      ...pciKeys(guest, found.address),
    }),
  ];
}

type Pair = readonly [string, string | undefined];

/** Keys of the local driver, which the handle driver does not have. */
function localPairs({ accessmode = "passthrough", ...found }: Filesystem): readonly Pair[] {
  if (found.driver?.type === "handle") return [];
  return [
    ["security_model", SECURITY[accessmode]],
    ["multidevs", found.multidevs === "default" ? undefined : found.multidevs],
    ["fmode", found.fileMode],
    ["dmode", found.directoryMode],
  ];
}

function formatVirtiofs(
  guest: Guest,
  found: Filesystem,
  {
    id,
    launch,
    path: place,
  }: { readonly id: string; readonly path: string; readonly launch: Launch | undefined },
): Arguments {
  const { domain } = guest;
  const chardev = `chr-vu-${id}`;
  const folder = launch?.folder ?? `/var/lib/libvirt/qemu/domain--1-${domain.name}`;
  const path = found.source.socket ?? virtiofsSocket(folder, id);
  const queue = found.driver?.queueSize;
  return [
    "-chardev",
    `socket,${keyValues([["id", chardev], peerPair(launch, { place, path })])}`,
    ...jsonArguments("-device", {
      driver: virtioDriver("vhost-user-fs", found.model),
      ...virtioKeys(found.driver),
      id,
      chardev,
      "queue-size": queue === 0 ? undefined : queue,
      tag: found.target.dir,
      bootindex: found.boot?.order,
      ...pciKeys(guest, found.address),
    }),
  ];
}

/** Sets the default accessmode of a shared folder, passthrough. virDomainFSDefPostParse() of libvirt */
export function fillFilesystem(found: Filesystem): Filesystem {
  if (found.source.dir === undefined) return found;
  return { ...found, accessmode: found.accessmode ?? "passthrough" };
}
