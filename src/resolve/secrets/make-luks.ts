import { SvirtError } from "../../errors.ts";
import { formatLuksHeader, type LuksCipher } from "../../images/luks/new-luks.ts";
import type { SecretUse } from "../../qemu/devices/disk/secrets.ts";
import type { Instance } from "../../state/instance.ts";
import type { FoundSecret } from "./find-secret.ts";
import { secretOf } from "./passed-secrets.ts";
import { usedValue } from "./used-value.ts";

/**
 * Makes the header of an encrypted volume or image, opened by the value of a secret. No program and no file
 * gets the value. Throws "not-found" for an undefined secret or a secret without a value, "unsupported" for
 * another use and for a value refused by QEMU; "denied" for a private secret without a use, named by a
 * restricted key.
 */
export async function makeLuks(
  instance: Instance,
  { cipher, secret }: Pick<SecretUse, "secret"> & { readonly cipher: LuksCipher },
  place = "/volume/target/encryption/secret",
): Promise<Uint8Array> {
  const found = secretOf(instance, { kind: "volume", place, secret });
  refuseForKey(instance, found, place);
  const passphrase = usedValue(instance, found);
  try {
    if (!isPassphrase(passphrase)) throw notText(found.uuid, place);
    const cryptography = await instance.host.getCryptography();
    const uuid = instance.host.makeUuid();
    return await formatLuksHeader(cryptography, { cipher, passphrase, uuid });
  } finally {
    passphrase.fill(0);
  }
}

/**
 * Throws "denied" for a private secret of any use: its value can be guessed by the header, and a restricted
 * key may download the header.
 */
function refuseForKey({ isForKey }: Instance, found: FoundSecret, place: string): void {
  if (isForKey !== true || !found.private || found.usage?.type === "volume") return;
  throw new SvirtError(`Invalid secret: secret ${found.uuid} is private`, {
    kind: "denied",
    libvirt: "INVALID_SECRET",
    from: "SECRET",
    place,
    remedy: "Name a secret with <usage type='volume'>, or one that is not private.",
  });
}

/** QEMU reads a passphrase as UTF-8 without NUL. qemu.git crypto/secret.c qcrypto_secret_lookup_as_utf8() */
function isPassphrase(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return false;
  }
  return bytes.length > 0 && !bytes.includes(0);
}

function notText(uuid: string, place: string): SvirtError {
  return new SvirtError(
    `Cannot encrypt the new image: ${place}: the value of the secret ${uuid} is not a text in UTF-8, and QEMU could not open the image with it`,
    {
      kind: "unsupported",
      place,
      remedy: `Set another one: svirt secret-set-value ${uuid} --plain --file -`,
    },
  );
}
