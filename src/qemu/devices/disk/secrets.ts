import { isDecryptedByQemu } from "../../../domain/devices/disk/secrets.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import type { Launch } from "../../launch.ts";
import { hostDependent } from "../../refusal.ts";
import type { ChainImage } from "./chain.ts";

type Json = Readonly<Record<string, unknown>>;

/** Use of a secret. virSecretUsageType of libvirt */
type SecretKind = "volume" | "iscsi" | "ceph";

/** Secret whose value QEMU needs for an image. */
export interface SecretUse {
  /** Id of QEMU's object. */
  readonly id: string;
  readonly kind: SecretKind;
  readonly secret: { readonly uuid?: string | undefined; readonly usage?: string | undefined };
  /** Path of its `<secret>` in the XML. */
  readonly place: string;
}

/** Value of a secret, encrypted with the guest's key for secrets, in Base64. */
export interface SealedValue {
  readonly data: string;
  readonly iv: string;
}

/** An image, the number of its block nodes, and the path of its source in the XML. */
export interface SecretImage {
  readonly image: ChainImage;
  readonly number: number;
  readonly path: string;
}

/** How QEMU gets the values: in a file of a real start, or as libvirt passes them. */
export interface SecretPassing {
  readonly launch: Launch | undefined;
  readonly sealed: ((use: SecretUse) => SealedValue) | undefined;
}

/**
 * Lists the secrets of an image: that of its server, and the passphrases.
 * qemuDomainSecretStorageSourcePrepare() of libvirt
 */
export function secretsOf({ image, number, path }: SecretImage): readonly SecretUse[] {
  return [...listLogin({ image, number, path }), ...listPassphrases({ image, number, path })];
}

/**
 * Formats -object for each secret. Its value is in no argument of a real start. qemuBuildSecretInfoProps() of
 * libvirt
 */
export function formatSecrets(uses: readonly SecretUse[], { launch, sealed }: SecretPassing): Arguments {
  return uses.flatMap((use) => {
    const object = { "qom-type": "secret", id: use.id };
    if (launch !== undefined) {
      const file = secretFile(launch.secretFolder ?? launch.folder, use);
      return jsonArguments("-object", { ...object, format: "raw", file });
    }
    if (sealed === undefined) {
      const why = "libvirt's arguments depend on the value of a secret";
      throw hostDependent(use.place, why, "Start the guest, which gets the value in a file of its own.");
    }
    const { data, iv } = sealed(use);
    return jsonArguments("-object", { ...object, data, keyid: "masterKey0", iv, format: "base64" });
  });
}

/** Returns the path of the file with the value of a secret, until QEMU has read it. */
export function secretFile(folder: string, { id }: Pick<SecretUse, "id">): string {
  return `${folder}/${id}`;
}

/**
 * Returns the keys by which an image's server knows the user. qemuBlockStorageSourceGet*Props() of libvirt
 */
export function loginKeys({ image, number, path }: SecretImage): Json {
  const [use] = listLogin({ image, number, path });
  const { login, place } = image;
  if (use === undefined || login === undefined || place.type !== "network") return {};
  const user = login.username;
  switch (place.source.protocol) {
    case "rbd":
      return { user, "auth-client-required": ["cephx", "none"], "key-secret": use.id };
    case "iscsi":
      return { user, "password-secret": use.id };
    default:
      return { username: user, "password-secret": use.id };
  }
}

/** Returns the keys of a format node that decrypts. qemuBlockStorageSourceGetFormat*Props() of libvirt */
export function decryptionKeys(file: SecretImage): Json {
  const [use] = listPassphrases(file);
  if (use === undefined || !isDecryptedByQemu(file.image.encryption)) return {};
  if (file.image.format === "raw") return { driver: "luks", "key-secret": use.id };
  return { encrypt: { format: "luks", "key-secret": use.id } };
}

/**
 * Returns the key by which librbd decrypts an image, the outermost layer first.
 * qemuBlockStorageSourceGetRBDProps() of libvirt
 */
export function librbdKeys(file: SecretImage): Json {
  const { encryption } = file.image;
  if (encryption === undefined || isDecryptedByQemu(encryption)) return {};
  const { format } = encryption;
  const encrypt = listPassphrases(file).reduceRight<Json | undefined>(
    (parent, { id }) => ({ format, "key-secret": id, ...(parent === undefined ? {} : { parent }) }),
    undefined,
  );
  return { encrypt };
}

function listLogin({ image: { login, place }, number, path }: SecretImage): readonly SecretUse[] {
  // nbdkit logs in by SSH.
  if (login === undefined || place.type !== "network" || place.source.protocol === "ssh") return [];
  const kind = place.source.protocol === "rbd" ? "ceph" : "iscsi";
  const id = `libvirt-${number}-storage-auth-secret0`;
  return [{ id, kind, secret: login.secret, place: `${path}/auth/secret` }];
}

function listPassphrases({ image: { encryption }, number, path }: SecretImage): readonly SecretUse[] {
  const part = isDecryptedByQemu(encryption) ? "format" : "storage";
  return (encryption?.secrets ?? []).map((secret, at) => ({
    id: `libvirt-${number}-${part}-encryption-secret${at}`,
    kind: "volume",
    secret,
    place: `${path}/encryption/secret`,
  }));
}
