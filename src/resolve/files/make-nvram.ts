import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { privateRange } from "../../report/policy-facts.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import { inspect, missing, wrongType } from "../inspect-file.ts";
import { refuseUnreadPlace } from "../places/readable-files.ts";
import { placeOfMade } from "../places/writable-places.ts";
import type { ResolveOptions } from "../resolved-file.ts";
import type { Variables } from "./firmware.ts";

// Rule: Variables of firmware are made from a template, which svirt does not convert.

/** Limit above the size of any firmware: QEMU accepts 8 MiB for both parts. qemu.git hw/i386/pc_sysfw.c */
const LARGEST_TEMPLATE = 64 * 1024 * 1024;

/**
 * Creates missing variables from their template, which the guest could read itself. Throws "not-found",
 * "unsupported", "denied", "in-use".
 */
export function makeVariables(
  host: Host,
  { format, path, template }: Variables,
  options: ResolveOptions,
): void {
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
