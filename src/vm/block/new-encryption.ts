import type { Encryption, PassphraseName } from "../../domain/devices/disk/secrets.ts";
import { SvirtError } from "../../errors.ts";
import { DEFAULT_CIPHER } from "../../images/luks/new-luks.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { LuksHeaders } from "../../run/steps/block/make-image.ts";
import type { Instance } from "../../state/instance.ts";
import { recordedName } from "./running-disk.ts";

type NewImage = Extract<Step, { do: "make-image" }>["image"];

/**
 * Returns the secret of a new image's `<encryption>`; undefined without one. Throws "unsupported" for one that QEMU could not open at the next start.
 * qemuDomainValidateStorageSource() of libvirt
 */
export function passphraseIn(encryption: Encryption | undefined, target: string): PassphraseName | undefined {
  if (encryption === undefined) return undefined;
  const { engine, format, secrets } = encryption;
  const [secret, second] = secrets;
  if (format !== "luks" || engine === "librbd")
    throw refused(target, "only librbd supports this encryption", "Write format='luks'.");
  for (const detail of ["cipher", "ivgen"] as const)
    if (encryption[detail] !== undefined)
      throw refused(target, `svirt chooses the <${detail}> of a new image`, "Leave it out.");
  if (secret !== undefined && second === undefined) return secret;
  throw refused(target, "an image has one passphrase", "Write one <secret type='passphrase' uuid='…'/>.");
}

/** Returns how a new image is encrypted, as its step has it. */
export function luksOf(secret: PassphraseName | undefined): Pick<NewImage, "luks"> {
  if (secret === undefined) return {};
  return { luks: { cipher: DEFAULT_CIPHER, secret: recordedName(secret) } };
}

/** Makes the headers of encrypted images, which no program and no record gets. Takes half a second for each. Throws as makeLuks(). */
export async function makeHeaders(
  instance: Instance,
  images: readonly { readonly path: string; readonly image: NewImage }[],
): Promise<LuksHeaders> {
  const headers = new Map<string, Uint8Array>();
  for (const { image, path } of images) {
    if (image.luks === undefined) continue;
    const { makeLuks } = await import("../../resolve/secrets/make-luks.ts");
    headers.set(path, await makeLuks(instance, image.luks, "/disk/source/encryption/secret"));
  }
  return headers;
}

function refused(target: string, why: string, remedy: string): SvirtError {
  return new SvirtError(
    `Operation not supported: the new image of disk '${target}' is not encrypted so: ${why}`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      place: "/disk/source/encryption",
      remedy,
    },
  );
}
