import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { folderOf } from "../../plan/folder-of.ts";
import type { AccessStep } from "../../plan/steps/access.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { parseBase64 } from "../../secret/value.ts";
import { isStill } from "../labels/remembered-label.ts";
import type { Runs } from "./step-effects.ts";

/** Effects of the steps on the access of a guest's user to files. */
export const runAccess: Runs<AccessStep> = {
  grant: ({ host }, step) => host.grantAccess(step.file, step),
  revoke: ({ host }, step) => revokeFileAccess(host, step),
  "write-secret": ({ host }, step) => writeSecret(host, step),
};

/** Only QEMU's user reads the value. */
const SECRET_MODE = 0o400;

/**
 * Writes the value of a secret to a file with its owner, mode and label before its name. Its folder is
 * root's: the guest cannot put another file of the name there. Throws "not-found" if the value has been
 * removed meanwhile.
 */
async function writeSecret(
  host: Host,
  { from, label, path, secret, uid }: StepOf<"write-secret">,
): Promise<void> {
  const text = host.readText(from);
  const folder = host.inspectFile(folderOf(path));
  if (text === undefined || folder === undefined)
    throw new SvirtError(`Secret not found: secret '${secret}' does not have a value`, {
      kind: "not-found",
      libvirt: "NO_SECRET",
      remedy: `Set it: svirt secret-set-value ${secret} --plain --file -`,
    });
  const bytes = parseBase64(text);
  // An interrupted call may have left it.
  host.removeFile(path);
  await host.makeFileWithin(folder.id, {
    name: path.slice(path.lastIndexOf("/") + 1),
    content: { bytes, sizeBytes: bytes.length },
    reservedBytes: 0,
    mode: SECRET_MODE,
    uid,
    label,
  });
  bytes.fill(0);
}

/**
 * Revokes the access of a guest's user to a file. A missing or replaced file is left alone. After a reboot
 * the file is identified by its inode and svirt's mark.
 */
function revokeFileAccess(host: Host, { file, uid }: StepOf<"revoke">): void {
  const found = host.withInspected(file.path, (now) =>
    isStill(host, now, file) === true ? now.facts.id : undefined,
  );
  if (found !== undefined) host.revokeAccess(found, uid);
}
