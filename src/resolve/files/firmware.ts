import type { FirmwareFile } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import { walkChain } from "../../images/chain.ts";
import { isInstalled, refuseInstalled } from "../../label/protected-paths.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import type { Instance } from "../../state/instance.ts";
import { factsOfPlanned, imageReader, inspect, missing, wrongType } from "../inspect-file.ts";
import type { ResolvedFile, ResolveOptions } from "../resolved-file.ts";
import { makeVariables } from "./make-nvram.ts";

/**
 * Inspects a file of the firmware. Creates missing variables from their template; the guest keeps them.
 * Throws "not-found", "unsupported", "denied", "in-use".
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
export type Variables = Extract<FirmwareFile, { readonly kind: "nvram" }>;

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

/** Refuses an image with backing files: QEMU gets a single file, and its user may open no other. */
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
