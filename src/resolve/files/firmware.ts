import type { FirmwareFile } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { walkChain } from "../../images/chain.ts";
import { isInstalled, refuseInstalled } from "../../label/protected-paths.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";
import { factsOfPlanned, imageReader, inspect, missing, wrongType } from "../inspect-file.ts";
import { refuseUnreadPlace } from "../read-place.ts";
import type { ResolvedFile, ResolveOptions } from "../resolved-file.ts";
import { placeOfMade } from "../written-place.ts";

/** Limit above the size of any firmware: QEMU accepts 8 MiB for both parts. qemu.git hw/i386/pc_sysfw.c */
const LARGEST_TEMPLATE = 64 * 1024 * 1024;

/**
 * Inspects a file of the firmware. Creates missing variables from their template; the guest keeps them. Throws
 * "not-found", "unsupported", "denied", "in-use".
 */
export function resolveFirmware(
  instance: Instance,
  file: FirmwareFile,
  options: ResolveOptions,
): ResolvedFile {
  if (file.kind === "loader") return resolveLoader(instance, file);
  if (file.storage === "file") makeVariables(instance.host, file, options);
  return resolveVariables(instance, file);
}

type Loader = Extract<FirmwareFile, { readonly kind: "loader" }>;
type Variables = Extract<FirmwareFile, { readonly kind: "nvram" }>;

function resolveLoader(instance: Instance, { access, format, path }: Loader): ResolvedFile {
  const facts = inspect(instance.host, path);
  if (facts === undefined) throw missing(path);
  if (facts.type !== "file") throw wrongType(path, facts.type);
  refuseChain(instance, { path, format });
  const named = { named: path, facts, format, override: undefined };
  if (access === "read-write") {
    refuseInstalled(facts.id.path);
    return { ...named, role: LABEL_ROLES.loader[access].role };
  }
  return { ...named, role: LABEL_ROLES.loader[isInstalled(facts.id.path) ? "installed" : access].role };
}

function resolveVariables(
  instance: Instance,
  { format, override, path, storage, template }: Variables,
): ResolvedFile {
  const facts = inspect(instance.host, path) ?? (template === undefined ? undefined : factsOfPlanned(path));
  if (facts === undefined) throw withoutTemplate(path);
  refuseInstalled(facts.id.path);
  if (facts.type !== storage) throw wrongStorage(path, storage, facts);
  if (facts.id.inode !== "0") refuseChain(instance, { path, format });
  return { named: path, facts, format, role: LABEL_ROLES.nvram["read-write"].role, override };
}

function makeVariables(host: Host, { format, path, template }: Variables, options: ResolveOptions): void {
  if (template === undefined || inspect(host, path) !== undefined) return;
  if (template.format !== format) {
    throw new SvirtError(
      `Cannot create ${path} from ${template.path}: svirt does not convert ${template.format} to ${format}`,
      {
        kind: "unsupported",
        remedy: `Create it with qemu-img(1) convert, or write <nvram format='${template.format}'>.`,
      },
    );
  }
  const facts = inspect(host, template.path);
  if (facts === undefined) throw missing(template.path);
  if (facts.type !== "file") throw wrongType(template.path, facts.type);
  refuseUnreadPlace(host, facts);
  refuseTemplate(host, template.path, facts);
  if (!options.makeMissing) return;
  const bytes = host.readBytes(facts.id, 0, facts.sizeBytes);
  host.makeFile(placeOfMade(host, path), 0o600, { bytes, sizeBytes: bytes.length });
}

/** Refuses a template that has another guest's label, since svirt reads it on behalf of this guest. */
function refuseTemplate(host: Host, path: string, facts: FileFacts): void {
  if (privateRange(host, getFileLabel(host, facts.id)) !== undefined) {
    throw new SvirtError(
      `Cannot create a guest's variables from ${path}: that file has the label of a guest`,
      {
        kind: "in-use",
        remedy: "Name the template that is installed with the firmware.",
      },
    );
  }
  if (facts.sizeBytes <= LARGEST_TEMPLATE) return;
  throw new SvirtError(
    `Cannot create a guest's variables from ${path}: its ${facts.sizeBytes} bytes are more than a template has`,
    {
      kind: "unsupported",
      remedy: "Name the template that is installed with the firmware.",
    },
  );
}

/** Refuses an image with backing files: QEMU gets one file, and its user may open no other. */
function refuseChain(
  instance: Instance,
  image: { readonly path: string; readonly format: "raw" | "qcow2" },
): void {
  if (image.format === "raw") return;
  const { length } = walkChain({ ...image, readOnly: true }, imageReader(instance));
  if (length === 1) return;
  throw new SvirtError(`Cannot use ${image.path} as firmware: the image needs other files`, {
    kind: "unsupported",
    remedy: "Merge it into one image with qemu-img(1) convert.",
  });
}

function withoutTemplate(path: string): SvirtError {
  return new SvirtError(`Cannot access file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Write <nvram template='...'>: svirt then creates the file from the template.",
  });
}

function wrongStorage(path: string, storage: "file" | "block", { type }: FileFacts): SvirtError {
  return new SvirtError(`Cannot store a guest's variables in ${path}: it is a ${type}`, {
    kind: "unsupported",
    remedy: storage === "file" ? "Name a regular file." : "Name a block device.",
  });
}
