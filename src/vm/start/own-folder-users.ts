import { SvirtError } from "../../errors.ts";
import { listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { resolveReferences } from "../../xml/references.ts";
import { findGuestBelow } from "../guest/guests-on-mount.ts";

/** Characters after the name of a folder in the text of a definition. */
const ENDS = ["/", "'", "<"];

/** Folder, and the UUID of the only guest that may have files in it. */
interface OwnedFolder {
  readonly path: string;
  readonly uuid: string;
}

/**
 * Throws "in-use" if another guest has a file in a folder mounted for a single guest, or another definition
 * names such a file. The caller holds the registry's lock.
 */
export function refuseOthersIn(instance: Instance, { path, uuid }: OwnedFolder): void {
  const other =
    findGuestBelow(instance, path, uuid) ??
    listDefinitionNames(instance).find((name) => namesFileIn(instance, { name, uuid, path }));
  if (other === undefined) return;
  throw new SvirtError(
    `Cannot mount ${path} for the guest alone, whose files store no labels: '${other}' has a file in it`,
    {
      kind: "in-use",
      remedy: "Give each guest a folder of its own there, and write the new path into its XML.",
    },
  );
}

/** Searches the text of the definition: parsing all of them is slow, and svirt has written them. */
function namesFileIn(
  instance: Instance,
  { name, path, uuid }: OwnedFolder & { readonly name: string },
): boolean {
  const other = readDefinition(instance, name);
  if (other === undefined || other.uuid === uuid) return false;
  const text = resolveReferences(other.xml);
  const searched = typeof text === "string" ? text : other.xml;
  return ENDS.some((end) => searched.includes(`${path}${end}`));
}
