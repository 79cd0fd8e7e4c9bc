import type { Domain } from "../domain/domain.ts";
import { type ImageFile, type LabelOverride, listResources, type Resource } from "../domain/resources.ts";
import { SvirtError } from "../errors.ts";
import type { FileFacts, FileType, Host } from "../host.ts";
import { diskRole, type FileRole } from "../label/file-rule.ts";
import { type FoundElement, type ImageReader, walkChain } from "../storage/image-chain.ts";
import { gatherChardev } from "./gather-chardev.ts";
import { gatherFirmware } from "./gather-firmware.ts";
import { gatherMemory } from "./gather-memory.ts";
import { gatherCancel, gatherNode, gatherScsi } from "./gather-node.ts";
import { gatherPeer } from "./gather-peer.ts";
import { gatherSockets, type UsedSocket } from "./gather-sockets.ts";
import { gatherVfio } from "./gather-vfio.ts";
import { imageReader, inspect, missing, wrongType } from "./inspect-file.ts";
import type { GatherOptions, UsedFile } from "./used-file.ts";

/** All files of a domain, and each disk's chain by its target. */
export interface GatheredFiles {
  readonly files: readonly UsedFile[];
  readonly chains: ReadonlyMap<string, readonly FoundElement<FileFacts>[]>;
  readonly sockets: readonly UsedSocket[];
}

/**
 * Looks at every file that the domain names, and at those that its images name. Nothing but image headers is read.
 * Throws "not-found", "unsupported" or "denied", with the chain where there is one.
 */
export function gatherFiles(host: Host, domain: Domain, options: GatherOptions): GatheredFiles {
  return gatherResources(host, listResources(domain), options);
}

/** The same for a part of what a domain names. */
export function gatherResources(
  host: Host,
  resources: readonly Resource[],
  options: GatherOptions,
): GatheredFiles {
  const chains = new Map<string, readonly FoundElement<FileFacts>[]>();
  const files: UsedFile[] = [];
  for (const resource of resources) {
    if (resource.kind === "disk") {
      const images = gatherDisk(imageReader(host, options.overlays), resource);
      chains.set(
        resource.target,
        images.map(({ element }) => element),
      );
      files.push(
        ...images.map(({ element, override, role }) => ({
          named: element.path,
          facts: element.facts,
          role,
          override,
        })),
      );
    } else {
      files.push(...gatherOther(host, resource, options));
    }
  }
  return { files, chains, sockets: gatherSockets(host, resources) };
}

type DiskResource = Extract<Resource, { kind: "disk" }>;

/** An image of a disk, and how it is to be labelled. */
interface UsedImage {
  readonly element: FoundElement<FileFacts>;
  readonly role: FileRole;
  readonly override: LabelOverride | undefined;
}

function gatherOther(
  host: Host,
  resource: Exclude<Resource, DiskResource>,
  options: GatherOptions,
): UsedFile[] {
  switch (resource.kind) {
    case "loader":
    case "nvram":
      return [gatherFirmware(host, resource, options)];
    case "kernel":
    case "initrd":
    case "boot-file":
      return [gatherContent(host, resource.path)];
    case "memory-file":
      return [gatherMemory(host, resource, options)];
    case "input-device":
    case "usb-device":
    case "tpm-device":
    case "vhost-scsi":
      return [gatherNode(host, resource)];
    case "tpm-cancel":
      return [gatherCancel(host, resource.path)];
    case "scsi-device":
      return [gatherScsi(host, resource)];
    case "vfio-device":
      return [...gatherVfio(host, resource.path, options.taken)];
    case "chardev-file":
    case "chardev-log":
    case "chardev-device":
    case "chardev-pipe":
      return gatherChardev(host, resource, options);
    case "peer-socket":
      return [gatherPeer(host, resource)];
    // A socket is made by svirt in the guest's name, the random device is everybody's.
    case "chardev-socket":
    case "guest-socket":
    case "vnc-socket":
    case "random-device":
    // Looked at where it is needed, for variables that are not there yet.
    case "nvram-template":
    // With all that is below it: gather-folders.ts.
    case "shared-folder":
    // A guest that has one is not started.
    case "unopened":
      return [];
    case "host-file":
    case "host-device":
    case "host-socket":
      throw new SvirtError(
        `Cannot give ${resource.path} to the guest: svirt does not label such a thing yet`,
        {
          kind: "unsupported",
          remedy: "Leave its element out.",
        },
      );
  }
}

function gatherDisk(reader: Reader, disk: DiskResource): UsedImage[] {
  const images: readonly ImageFile[] = [disk, ...disk.backing];
  let override: LabelOverride | undefined;
  return images.flatMap((image, depth) => {
    // What the XML says of an image holds for those below it, until one has its own.
    override = image.override ?? override;
    const goesOn = depth === images.length - 1 && disk.below === "as-probed";
    return gatherImage(reader, { image, depth, goesOn, disk, override });
  });
}

type Reader = ImageReader<FileFacts>;

interface Depth {
  readonly disk: DiskResource;
  readonly image: ImageFile;
  /** 0: the disk's own image. */
  readonly depth: number;
  /** Whether its header says what is below, not the XML. */
  readonly goesOn: boolean;
  readonly override: LabelOverride | undefined;
}

function gatherImage(reader: Reader, { depth, disk, goesOn, image, override }: Depth): UsedImage[] {
  const readOnly = depth > 0 || disk.access === "read-only";
  const walked = walkChain({ path: image.path, format: formatOf(image), readOnly }, reader);
  refuseOtherType(image, walked[0]?.facts.type);
  return (goesOn ? walked : ownPart(walked)).map((element, at) => {
    const isTop = depth === 0 && isOwn(element, at);
    const isBelow = depth > 0 && at === 0;
    return {
      element: isBelow ? { ...element, role: "backing" } : element,
      role: isTop ? diskRole(disk) : "content",
      override,
    };
  });
}

function formatOf({ format = "raw", path }: ImageFile): "raw" | "qcow2" {
  if (format === "raw" || format === "qcow2") return format;
  throw new SvirtError(`Cannot use ${path} as a disk: svirt does not read images of format ${format}`, {
    kind: "unsupported",
    remedy: "Convert it to qcow2 with qemu-img(1).",
  });
}

/** The image and its data file, without what is below: the XML says that itself. */
function ownPart(walked: readonly FoundElement<FileFacts>[]): readonly FoundElement<FileFacts>[] {
  return walked.filter(isOwn);
}

function isOwn(element: FoundElement<FileFacts>, at: number): boolean {
  return at === 0 || (at === 1 && element.role === "data-file");
}

function refuseOtherType(image: ImageFile, found: FileType | undefined): void {
  if (found === image.source) return;
  throw new SvirtError(
    `Cannot use ${image.path} as a disk of type '${image.source}': it is a ${found ?? "missing"}`,
    {
      kind: "unsupported",
      remedy:
        image.source === "file"
          ? "Write <disk type='block'> and <source dev=...>."
          : "Write <disk type='file'> and <source file=...>.",
    },
  );
}

function gatherContent(host: Host, path: string): UsedFile {
  const facts = inspect(host, path);
  if (facts === undefined) throw missing(path);
  if (facts.type !== "file") throw wrongType(path, facts.type);
  return { named: path, facts, role: "content", override: undefined };
}
