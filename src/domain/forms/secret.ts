import { choice } from "../../xml/choice.ts";
import { checked, element } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { oneOf } from "../../xml/value-form.ts";
import { objectName, uuid } from "./text.ts";

interface SecretName {
  readonly uuid?: string;
  readonly usage?: string;
}

const authSecret = checked(
  element("secret", () => ({
    type: required(attribute("type", oneOf("iscsi", "ceph"))),
    usage: attribute("usage", objectName),
    uuid: attribute("uuid", uuid),
  })),
  refuseUnnamed,
);

/**
 * `<auth>` of a network image: a user, and the secret with the password.
 * https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
 */
export const auth = child(
  element("auth", () => ({
    username: required(attribute("username", objectName)),
    secret: required(child(authSecret)),
  })),
);

const passphrase = checked(
  element("secret", () => ({
    type: required(attribute("type", oneOf("passphrase"))),
    usage: attribute("usage", objectName),
    uuid: attribute("uuid", uuid),
  })),
  refuseUnnamed,
);
const cipher = element("cipher", () => ({
  name: required(attribute("name", objectName)),
  size: required(attribute("size", oneOf("128", "192", "256", "512"))),
  mode: attribute("mode", oneOf("cbc", "xts", "ecb", "ctr")),
  hash: attribute("hash", objectName),
}));
const ivgen = element("ivgen", () => ({
  name: required(attribute("name", objectName)),
  hash: attribute("hash", objectName),
}));

/** `<encryption>` of a storage volume. https://libvirt.org/formatstorageencryption.html */
export const volumeEncryption = choice("encryption", {
  attribute: "format",
  of: () => ({
    default: { secrets: children(passphrase) },
    qcow: { secrets: children(passphrase) },
    luks: { secrets: children(passphrase), cipher: child(cipher), ivgen: child(ivgen) },
  }),
});

/** `<encryption>` of an image, https://libvirt.org/formatstorageencryption.html */
export const encryptionForm = choice("encryption", {
  attribute: "format",
  of: () => ({
    luks: {
      engine: attribute("engine", oneOf("qemu", "librbd")),
      secrets: children(passphrase),
      cipher: child(cipher),
      ivgen: child(ivgen),
    },
    luks2: { engine: attribute("engine", oneOf("librbd")), secrets: children(passphrase) },
    "luks-any": { engine: attribute("engine", oneOf("librbd")), secrets: children(passphrase) },
  }),
  refused: {
    default: "it does not say how the image is encrypted",
    qcow: "it is the old encryption of qcow2, which QEMU no longer opens for guests",
  },
});

/** `<encryption>` of a source or a disk. */
export const encryption = child(encryptionForm);

/** Refuses a `<secret>` without a name, or with two. virSecretLookupParseSecret() of libvirt */
export function refuseUnnamed(value: SecretName, node: XmlNode): void {
  if ((value.uuid === undefined) !== (value.usage === undefined)) return;
  throw notUnderstood({ node }, "it needs either a UUID or a usage", "Write one of uuid='…' and usage='…'.");
}
