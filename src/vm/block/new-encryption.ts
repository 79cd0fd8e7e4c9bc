import type { Encryption, PassphraseName } from "../../domain/devices/disk/secrets.ts";
import { SvirtError } from "../../errors.ts";
import { DEFAULT_CIPHER } from "../../images/luks/new-luks.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { LuksHeaders } from "../../run/steps/block/make-image.ts";
import type { Instance } from "../../state/instance.ts";
import { recordedName } from "./running-disk.ts";

/**
 * Places of a new image's `<encryption>`, for errors: in the XML of a snapshot, in the domain that a snapshot
 * has, and in the XML of a copy.
 */
export const PLACE_OF_ENCRYPTION = {
  snapshot: "/domainsnapshot/disks/disk/source/encryption",
  revert: "/domainsnapshot/domain/devices/disk/source/encryption",
  copy: "/disk/source/encryption",
} as const;

type NewImage = Extract<Step, { do: "make-image" }>["image"];

/**
 * Returns the secret of a new image's `<encryption>`; undefined without an `<encryption>`. Throws
 * "unsupported" if QEMU could not open the image at the next start. `place`: of the `<encryption>`.
 * qemuDomainValidateStorageSource() of libvirt
 */
export function passphraseIn(
  encryption: Encryption | undefined,
  target: string,
  place: string,
): PassphraseName | undefined {
  if (encryption === undefined) return undefined;
  const refused = (why: string, remedy: string): SvirtError => unmade(target, { why, place, remedy });
  const { engine, format, secrets } = encryption;
  const [secret, second] = secrets;
  if (format !== "luks") throw refused("QEMU makes no image of this format", "Write format='luks'.");
  if (engine === "librbd")
    throw refused("only librbd supports this encryption", "Write engine='qemu', or leave engine out.");
  for (const detail of ["cipher", "ivgen"] as const)
    if (encryption[detail] !== undefined)
      throw refused(`svirt chooses the <${detail}> of a new image`, "Leave it out.");
  if (secret !== undefined && second === undefined) return secret;
  throw refused("an image has one passphrase", "Write one <secret type='passphrase' uuid='…'/>.");
}

/** Returns how a new image is encrypted, as its step has it. */
export function luksOf(secret: PassphraseName | undefined): Pick<NewImage, "luks"> {
  if (secret === undefined) return {};
  return { luks: { cipher: DEFAULT_CIPHER, secret: recordedName(secret) } };
}

/**
 * Makes the headers of encrypted images, which no program and no record gets. Takes half a second for each.
 * `place`: of their `<encryption>`. Throws as makeLuks().
 */
export async function makeHeaders(
  instance: Instance,
  images: readonly { readonly path: string; readonly image: NewImage }[],
  place: string,
): Promise<LuksHeaders> {
  const headers = new Map<string, Uint8Array>();
  for (const { image, path } of images) {
    if (image.luks === undefined) continue;
    const { makeLuks } = await import("../../resolve/secrets/make-luks.ts");
    headers.set(path, await makeLuks(instance, image.luks, `${place}/secret`));
  }
  return headers;
}

function unmade(
  target: string,
  { place, remedy, why }: { readonly why: string; readonly place: string; readonly remedy: string },
): SvirtError {
  return new SvirtError(
    `Operation not supported: the new image of disk '${target}' is not encrypted so: ${why}`,
    { kind: "unsupported", libvirt: "OPERATION_UNSUPPORTED", place, remedy },
  );
}
