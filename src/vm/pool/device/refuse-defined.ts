import { SvirtError, unlessRefused } from "../../../errors.ts";
import { type FileId, fileKey } from "../../../plan/facts/file.ts";
import { listRelated } from "../../../resolve/related-devices.ts";
import { listDefinitionNames, readDefinition } from "../../../state/definitions.ts";
import type { Instance } from "../../../state/instance.ts";
import { resolveReferences } from "../../../xml/references.ts";

/** A possible path of a device in the stored form of a definition, which svirt writes itself. */
const PATH = /['>](\/dev\/[^'<>]*)['<]/g;

/** Throws "in-use" for a device if the path of it, of its partition or of its disk is in a definition. */
export function refuseDefined(instance: Instance, device: FileId): void {
  const { host } = instance;
  const keys = new Set([
    fileKey(device),
    ...listRelated(host, device).map(({ number }) => `device-${number}`),
  ]);
  const isNamed = (source: string): boolean => {
    const path = resolveReferences(source);
    const found = typeof path === "string" ? unlessRefused(() => host.inspectFile(path)) : undefined;
    return found !== undefined && keys.has(fileKey(found.id));
  };
  for (const name of listDefinitionNames(instance)) {
    const { xml = "" } = readDefinition(instance, name) ?? {};
    if (![...xml.matchAll(PATH)].some(([, path = ""]) => isNamed(path))) continue;
    throw new SvirtError(`Cannot write to the device ${device.path}: the domain '${name}' has it`, {
      kind: "in-use",
      remedy: `Remove it from that domain: svirt edit ${name}`,
    });
  }
}
