import { formatDevice, parseDevice } from "../../domain/device.ts";
import { type LocalImage, replaceImages } from "../../domain/devices/disk/images.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { planAttach } from "../../plan/actions/hotplug.ts";
import type { ChainLink } from "../../plan/facts/block-job.ts";
import { givenFormatOf } from "../../plan/facts/given-format.ts";
import type { MonitorCommand } from "../../plan/facts/step-parts.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { formatMedium } from "../../qemu/hotplug/plug.ts";
import type { InspectedImage } from "../../resolve/image-size.ts";
import { factsOfPlanned, inspect } from "../../resolve/inspect-file.ts";
import { refuseUnusablePlace } from "../../resolve/places/readable-files.ts";
import { placeOfMade } from "../../resolve/places/writable-places.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { decideNewDevice, freeNames } from "../hotplug/new-files.ts";
import { type RunningDisk, recordedSecret } from "./running-disk.ts";

/** Image to plug into a disk of a running guest. */
export interface WantedImage extends LocalImage {
  /** Block node of its backing image; undefined: it has none, or gets it later. */
  readonly backing?: string | undefined;
  /** Facts of an existing image; undefined: svirt creates it. */
  readonly facts: FileFacts | undefined;
}

type MakeImage = Extract<Step, { do: "make-image" }>;

/** Entry of the image in a disk's chain, and the steps that label and open it. */
export interface PluggedImage {
  readonly link: ChainLink;
  readonly steps: readonly Step[];
}

/**
 * Returns the path of an image to create, with the symlinks of its folder resolved. Throws "not-found",
 * "denied".
 */
export function placeOfNew(instance: Instance, path: string): string {
  const cut = path.lastIndexOf("/");
  const folder = path.startsWith("/") ? inspect(instance.host, path.slice(0, cut) || "/") : undefined;
  const name = path.slice(cut + 1);
  if (folder?.type === "folder" && !["", ".", ".."].includes(name)) return placeOfMade(instance.host, path);
  throw new SvirtError(`Cannot create the image ${path}: its folder does not exist`, {
    kind: "not-found",
    remedy: "Write the absolute path of a file in an existing folder.",
  });
}

/**
 * Returns the step that creates an image. Throws "in-use" with the message `taken` if the path exists,
 * "not-found", "denied".
 */
export function planNew(
  instance: Instance,
  {
    image,
    path,
    taken,
  }: { readonly image: MakeImage["image"]; readonly path: string; readonly taken: string },
): MakeImage {
  const place = placeOfNew(instance, path);
  if (inspect(instance.host, place) === undefined) return { do: "make-image", path: place, image };
  throw new SvirtError(`${taken}: ${place}`, {
    kind: "in-use",
    // qemuSnapshotPrepareDiskExternal() and qemuDomainBlockCopyValidateMirror() of libvirt
    libvirt: "CONFIG_UNSUPPORTED",
    from: "QEMU",
    remedy: "Write another path, or use the existing file: --reuse-external",
  });
}

/**
 * Returns the format of an image as its overlay's header names it. qemuBlockStorageSourceCreateAddBacking()
 * of libvirt
 */
export function headerFormat({ format, isEncrypted }: InspectedImage): string {
  return format === "raw" && isEncrypted === true ? "luks" : format;
}

/**
 * Plans to label an image for the guest, pass it and create its unused block node. Throws "xml" for a path
 * with characters forbidden in XML.
 */
export function plugImage(
  instance: Instance,
  record: GuestRecord,
  { disk: running, wanted }: { readonly disk: RunningDisk; readonly wanted: WantedImage },
): PluggedImage {
  const { disk, facts, guest } = running;
  const { backing, format, path, storage } = wanted;
  const found = wanted.facts ?? instance.host.inspectFile(path) ?? factsOfPlanned(path);
  const target = disk.target.dev;
  const element = { path, format, storage, role: "top", readOnly: false, facts: found } as const;
  const changed = replaceImages(disk, [wanted]);
  // Fails for a path with a character that XML cannot contain: the guest's record must be readable later.
  parseDevice(new TextEncoder().encode(formatDevice({ element: "disk", value: changed })));
  const medium = formatMedium(guest, changed, {
    chains: new Map([[target, [element]]]),
    names: freeNames(record, { prefix: "net" }),
    secretFolder: guestPaths(instance.paths, record.uuid).folder,
  });
  const words = {
    ...medium,
    commands: medium.commands.map((command) => addBacking(command, medium.node, backing)),
  };
  const { role } = LABEL_ROLES["block-job"]["new-image"];
  const file = {
    named: path,
    facts: found,
    role,
    format: givenFormatOf({ format, isEncrypted: wanted.secret === undefined ? undefined : true }),
    override: undefined,
  } as const;
  refuseUnusablePlace(instance.host, file);
  const resolved = { files: [file], chains: new Map(), sockets: [] };
  const device = decideNewDevice(instance, record, { resolved, words });
  return {
    link: { node: medium.node, path, format, storage, ...recordedSecret(wanted.secret) },
    steps: planAttach(device, facts.monitor).steps,
  };
}

function addBacking(command: MonitorCommand, top: string, backing: string | undefined): MonitorCommand {
  if (backing === undefined || command.arguments?.["node-name"] !== top) return command;
  return { ...command, arguments: { ...command.arguments, backing } };
}
