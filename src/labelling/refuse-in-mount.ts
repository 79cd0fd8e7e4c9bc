import { SvirtError } from "../errors.ts";
import { PENDING_FILE } from "../plan/facts/file-key.ts";
import { privateRange } from "../report/policy-facts.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { ownerName } from "../state/record.ts";
import { isOfGuestsMount } from "./held-elsewhere.ts";
import type { NamedFile } from "./original-label.ts";

// Rule: The files of another guest's mount are refused.

/**
 * Throws "in-use" for a file in a folder mounted for another guest alone: all files in it have the other
 * guest's label.
 */
export function refuseInMount(instance: Instance, uuid: string, { facts, named }: NamedFile): void {
  const { host } = instance;
  const { id } = facts;
  if (id.inode === PENDING_FILE.inode) return;
  const range = privateRange(host, getFileLabel(host, id));
  if (range === undefined || !isOfGuestsMount(instance, { id, range })) return;
  const [other] = registryOf(instance).listOthers({ kind: "level", key: range }, uuid);
  if (other === undefined) return;
  const name = ownerName(instance, other);
  throw new SvirtError(
    `Cannot give ${named} to the guest: its folder is mounted for the guest ${name} alone`,
    {
      kind: "in-use",
      remedy: `Move the file to another folder, or end that guest: svirt shutdown ${name}`,
    },
  );
}
