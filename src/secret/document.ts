import { absolutePath, objectName, uuid } from "../domain/forms/text.ts";
import { choice } from "../xml/choice.ts";
import { element, type ValueOf } from "../xml/element.ts";
import { attribute, child, required, textOf } from "../xml/field.ts";
import { formatDocument } from "../xml/format-document.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { readWhole } from "../xml/read-whole.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { anyText, yesNo } from "../xml/value-form.ts";

const usage = choice("usage", {
  attribute: "type",
  of: () => ({
    volume: { id: required(textOf("volume", absolutePath)) },
    ceph: { id: required(textOf("name", objectName)) },
    iscsi: { id: required(textOf("target", objectName)) },
    tls: { id: required(textOf("name", objectName)) },
    vtpm: { id: required(textOf("name", objectName)) },
  }),
});

/** `<secret>` without its value. https://libvirt.org/formatsecret.html */
const secretForm = element("secret", () => ({
  ephemeral: attribute("ephemeral", yesNo),
  private: attribute("private", yesNo),
  uuid: textOf("uuid", uuid),
  description: textOf("description", anyText),
  usage: child(usage),
}));

/** Object of a secret. */
export type SecretUsage = ValueOf<typeof usage>;

/** A secret as it is read. */
export type WrittenSecret = ValueOf<typeof secretForm>;

/** Definition of a secret, without its value. */
export interface Secret extends WrittenSecret {
  /** Whether it lasts until the host is switched off. */
  readonly ephemeral: boolean;
  /** Whether no client gets the value. */
  readonly private: boolean;
  readonly uuid: string;
}

/** Reads a `<secret>` document. Throws "xml" and "unsupported", with the places. */
export function parseSecret(bytes: Uint8Array): WrittenSecret {
  const root = parseDocument(bytes);
  if (root.tag === secretForm.tag) return readWhole(secretForm, root);
  throw notUnderstood({ node: root }, "it is not a <secret>", "Give svirt the definition of a secret.");
}

/** Returns a secret with libvirt's defaults. secretXMLParseNode() of libvirt */
export function completeSecret(written: WrittenSecret, spareUuid: string): Secret {
  const { ephemeral = false, private: isPrivate = false, uuid: own = spareUuid } = written;
  return { ...written, ephemeral, private: isPrivate, uuid: own };
}

/** Returns the secret's XML in libvirt's layout. virSecretDefFormat() of libvirt */
export function formatSecret(secret: Secret): string {
  return formatDocument(secretForm.format(secret));
}
