import type { Domain } from "../../domain/domain.ts";
import type { Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import type { FoundElement } from "../../images/chain.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { givenFormatOf } from "../../plan/facts/given-format.ts";
import type { Instance } from "../../state/instance.ts";
import { imageReader, inspect, missing, wrongType } from "../inspect-file.ts";
import { refuseUnusablePlace } from "../places/readable-files.ts";
import type { ResolvedFile, ResolveOptions } from "../resolved-file.ts";
import { resolveChardev } from "./chardev.ts";
import { resolveDeviceNode, resolveScsiNode, resolveTpmCancel } from "./device-node.ts";
import { type DiskResource, resolveDisk } from "./disk.ts";
import { resolveFirmware } from "./firmware.ts";
import { resolveMemoryFile } from "./memory.ts";
import { resolvePeerSocket } from "./peer-socket.ts";
import { type ResolvedSocket, resolveSockets } from "./sockets.ts";
import { resolveVfio } from "./vfio.ts";

/** All files of a domain, and the chain of each disk by its target. */
export interface ResolvedFiles {
  readonly files: readonly ResolvedFile[];
  readonly chains: ReadonlyMap<string, readonly FoundElement<FileFacts>[]>;
  readonly sockets: readonly ResolvedSocket[];
}

/**
 * Inspects every file of the domain, and the files in its images' headers. Only the headers of images are
 * read. Throws "not-found", "unsupported" or "denied", with the chain if there is any.
 */
export function resolveFiles(instance: Instance, domain: Domain, options: ResolveOptions): ResolvedFiles {
  return resolveResources(instance, listResources(domain), options);
}

/** Inspects the files of some of a domain's resources. */
export function resolveResources(
  instance: Instance,
  resources: readonly Resource[],
  options: ResolveOptions,
): ResolvedFiles {
  const { host } = instance;
  const chains: Chains = new Map();
  const files: ResolvedFile[] = [];
  for (const resource of resources) {
    const found = resolveOne(instance, resource, { ...options, chains });
    for (const file of found) if (isJudged(resource, file, options)) refuseUnusablePlace(host, file);
    files.push(...found);
  }
  return { files, chains, sockets: resolveSockets(host, resources) };
}

/**
 * Kinds of resources whose nodes the kernel creates and svirt finds by other rules: their place is not
 * checked.
 */
const NODES: ReadonlySet<Resource["kind"]> = new Set(["tpm-cancel", "scsi-device", "vfio-device"]);

/** Decides whether the place of a file is checked: svirt chose the place of an overlay. */
function isJudged({ kind }: Resource, { named }: ResolvedFile, { overlays }: ResolveOptions): boolean {
  return !NODES.has(kind) && overlays?.has(named) !== true;
}

type Chains = Map<string, readonly FoundElement<FileFacts>[]>;

function resolveOne(
  instance: Instance,
  resource: Resource,
  { chains, ...options }: ResolveOptions & { readonly chains: Chains },
): ResolvedFile[] {
  if (resource.kind !== "disk") return resolveOther(instance, resource, options);
  const images = resolveDisk(imageReader(instance, options.overlays), resource);
  chains.set(
    resource.target,
    images.map(({ element }) => element),
  );
  return images.map(({ element, ...image }) => ({
    named: element.path,
    facts: element.facts,
    format: givenFormatOf(element),
    ...image,
  }));
}

function resolveOther(
  instance: Instance,
  resource: Exclude<Resource, DiskResource>,
  options: ResolveOptions,
): ResolvedFile[] {
  const { host } = instance;
  switch (resource.kind) {
    case "loader":
    case "nvram":
      return [resolveFirmware(instance, resource, options)];
    case "kernel":
    case "initrd":
    case "boot-file":
      return [resolveBootFile(host, resource)];
    case "memory-file":
      return [resolveMemoryFile(host, resource, options)];
    case "input-device":
    case "usb-device":
    case "tpm-device":
    case "vhost-scsi":
    case "sgx-device":
      return [resolveDeviceNode(host, resource)];
    case "tpm-cancel":
      return [resolveTpmCancel(host, resource.path)];
    case "scsi-device":
      return [resolveScsiNode(host, resource)];
    case "vfio-device":
      return [...resolveVfio(host, resource.path, options.taken)];
    case "chardev-file":
    case "chardev-log":
    case "chardev-device":
    case "chardev-pipe":
      return resolveChardev(host, resource, options);
    case "peer-socket":
      return [resolvePeerSocket(host, resource)];
    // svirt or QEMU creates these sockets for the guest, and every program may use the random device.
    case "chardev-socket":
    case "guest-socket":
    case "vnc-socket":
    case "random-device":
    // Inspected when svirt creates missing variables from it.
    case "nvram-template":
    // Inspected with its contents: shared-folders.ts.
    case "shared-folder":
    // A guest with such a resource is not started.
    case "unopened":
      return [];
    case "host-file":
    case "host-device":
    case "host-socket":
      throw new SvirtError(
        `Cannot give ${resource.path} to the guest: svirt cannot label this kind of resource`,
        {
          kind: "unsupported",
          remedy: "Leave its element out.",
        },
      );
  }
}

type BootFile = Extract<Resource, { readonly kind: "kernel" | "initrd" | "boot-file" }>;

function resolveBootFile(host: Host, { access, kind, path }: BootFile): ResolvedFile {
  const facts = inspect(host, path);
  if (facts === undefined) throw missing(path);
  if (facts.type !== "file") throw wrongType(path, facts.type);
  return { named: path, facts, role: LABEL_ROLES[kind][access].role, override: undefined };
}
