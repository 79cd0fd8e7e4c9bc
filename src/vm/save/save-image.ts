import { parseDomain } from "../../domain/document.ts";
import { refusePasswords } from "../../domain/forbidden/passwords.ts";
import { refuseRawArguments } from "../../domain/forbidden/raw-arguments.ts";
import { withoutSecrets } from "../../domain/xml-without-secrets.ts";
import { SvirtError } from "../../errors.ts";
import { inspectExisting } from "../../labelling/free-file.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { type FoundHead, HEAD_BYTES, parseSaveHead, parseSaveImage } from "../../qemu/files/save-image.ts";
import { wrongType } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";

/** A file that a guest was saved to. */
export interface SaveImage extends FoundHead {
  readonly file: FileId;
}

/**
 * Reads the head of a saved state, without the guest's memory. Throws "not-found", "failed" with libvirt's
 * message.
 */
export function readSaveImage(instance: Instance, path: string): SaveImage {
  const { id: file, type } = inspectExisting(instance, path);
  if (type !== "file" && type !== "block") throw wrongType(path, type);
  const head = instance.host.readBytes(file, 0, HEAD_BYTES);
  const { dataBytes } = parseSaveHead(head);
  return { file, ...parseSaveImage(head, instance.host.readBytes(file, HEAD_BYTES, dataBytes)) };
}

/** Whether XML is shown with its secrets. VIR_DOMAIN_SAVE_IMAGE_XML_SECURE */
export interface Shown {
  readonly showsSecrets: boolean;
}

/**
 * Returns the XML in a saved state, which libvirt may have written with passwords. Throws as readSaveImage()
 * and withoutSecrets().
 */
export function getSavedXml(instance: Instance, path: string, { showsSecrets }: Shown): string {
  const { xml } = readSaveImage(instance, path);
  return showsSecrets ? xml : withoutSecrets(xml);
}

/**
 * Returns the saved definition, or `other` if it is given and the same domain's. Throws "usage" with
 * libvirt's message; "unsupported" for a password or raw QEMU arguments in `other`.
 * virDomainDefCheckABIStability()
 */
export function decideSavedXml(image: Pick<SaveImage, "xml">, other: Uint8Array | undefined): Uint8Array {
  const own = new TextEncoder().encode(image.xml);
  if (other === undefined) return own;
  const [saved, given] = [parseDomain(own), parseDomain(other)];
  // The file stores no passwords that svirt has been given.
  refusePasswords(given);
  refuseRawArguments(given);
  if (given.name === saved.name && given.uuid === saved.uuid) return other;
  const [what, to, from] =
    given.uuid === saved.uuid ? ["name", given.name, saved.name] : ["uuid", given.uuid, saved.uuid];
  throw new SvirtError(
    `unsupported configuration: Target domain ${what} ${to} does not match source ${from}`,
    {
      kind: "usage",
      libvirt: "CONFIG_UNSUPPORTED",
      remedy: "Change a copy of the output of svirt save-image-dumpxml.",
    },
  );
}
