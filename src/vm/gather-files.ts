import type { Domain } from "../domain/domain.ts";
import { type ImageFile, type LabelOverride, listResources, type Resource } from "../domain/resources.ts";
import { SvirtError } from "../errors.ts";
import type { FileFacts, FileType, Host } from "../host.ts";
import { diskRole, type FileRole } from "../label/file-rule.ts";
import { refuseImpossibleTarget } from "../label/impossible-targets.ts";
import { type FoundElement, type ImageReader, walkChain } from "../storage/image-chain.ts";

/** A file that the guest will have, as found on the host. */
export interface UsedFile {
  /** The path by which the XML or an image names it. */
  readonly named: string;
  readonly facts: FileFacts;
  readonly role: FileRole;
  readonly override: LabelOverride | undefined;
}

/** All files of a domain, and each disk's chain by its target. */
export interface GatheredFiles {
  readonly files: readonly UsedFile[];
  readonly chains: ReadonlyMap<string, readonly FoundElement<FileFacts>[]>;
}

/** Whether what is missing and QEMU would make, such as a serial port's file, is made: not by a mere plan. */
export interface GatherOptions {
  readonly makeMissing: boolean;
}

/**
 * Looks at every file that the domain names, and at those that its images name. Nothing but image headers is read.
 * Throws "not-found", "unsupported" or "denied", with the chain where there is one.
 */
export function gatherFiles(host: Host, domain: Domain, options: GatherOptions): GatheredFiles {
  const chains = new Map<string, readonly FoundElement<FileFacts>[]>();
  const files = listResources(domain).flatMap((resource): readonly UsedFile[] => {
    switch (resource.kind) {
      case "disk": {
        const { chain, used } = gatherDisk(host, resource);
        chains.set(resource.target, chain);
        return used;
      }
      case "kernel":
      case "initrd":
        return [gatherContent(host, resource.path)];
      case "chardev-file":
        return gatherChardevFile(host, resource, options);
      // A socket is made by svirt in the guest's name, the random device is everybody's.
      case "chardev-socket":
      case "vnc-socket":
      case "random-device":
        return [];
    }
  });
  for (const { facts } of files) refuseImpossibleTarget(facts.id.path);
  return { files, chains };
}

type DiskResource = Extract<Resource, { kind: "disk" }>;

function gatherDisk(host: Host, disk: DiskResource): { chain: FoundElement<FileFacts>[]; used: UsedFile[] } {
  const images: readonly ImageFile[] = [disk, ...disk.backing];
  const chain: FoundElement<FileFacts>[] = [];
  const used: UsedFile[] = [];
  let override: LabelOverride | undefined;
  for (const [depth, image] of images.entries()) {
    // What the XML says of an image holds for those below it, until one has its own.
    override = image.override ?? override;
    const isLast = depth === images.length - 1;
    const walked = walkChain(topImage(disk, image, depth), imageReader(host));
    const taken = isLast && disk.below === "as-probed" ? walked : ownPart(walked);
    refuseOtherType(image, taken[0]?.facts.type);
    for (const [at, element] of taken.entries()) {
      const isTop = depth === 0 && isOwn(element, at);
      chain.push(depth > 0 && at === 0 ? { ...element, role: "backing" } : element);
      used.push({
        named: element.path,
        facts: element.facts,
        role: isTop ? diskRole(disk) : "content",
        override,
      });
    }
  }
  return { chain, used };
}

function topImage(disk: DiskResource, image: ImageFile, depth: number) {
  return {
    path: image.path,
    format: image.format ?? "raw",
    readOnly: depth > 0 || disk.access === "read-only",
  } as const;
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

function imageReader(host: Host): ImageReader<FileFacts> {
  return {
    facts: (path) => host.inspectFile(path),
    read: (image, offset, length) => host.readBytes(image.id, offset, length),
  };
}

function gatherContent(host: Host, path: string): UsedFile {
  const facts = host.inspectFile(path);
  if (facts === undefined) throw missing(path);
  if (facts.type !== "file") throw wrongType(path, facts.type);
  return { named: path, facts, role: "content", override: undefined };
}

function gatherChardevFile(
  host: Host,
  chardev: Extract<Resource, { kind: "chardev-file" }>,
  options: GatherOptions,
): UsedFile[] {
  const found = host.inspectFile(chardev.path);
  if (found === undefined && !options.makeMissing) return [];
  if (found === undefined) host.makeFile(chardev.path, 0o600);
  const facts = found ?? host.inspectFile(chardev.path);
  if (facts === undefined) throw missing(chardev.path);
  if (facts.type !== "file") throw wrongType(chardev.path, facts.type);
  return [{ named: chardev.path, facts, role: "private", override: chardev.override }];
}

function missing(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Put the file in its place, or correct the path.",
  });
}

function wrongType(path: string, type: FileType): SvirtError {
  return new SvirtError(`Cannot use ${path}: it is a ${type}, not a file`, {
    kind: "unsupported",
    remedy: "Name a regular file.",
  });
}
