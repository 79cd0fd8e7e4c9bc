import { refuseUnnamed } from "../../../domain/forms/secret.ts";
import { initiator } from "../../../domain/forms/source/network.ts";
import { hostName, lineOfText, objectName, uuid } from "../../../domain/forms/text.ts";
import { checked, dropped, element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../../xml/field.ts";
import { integer, matching, oneOf, yesNo } from "../../../xml/value-form.ts";
import { adapter } from "./adapter.ts";

/** Path or name passed on by libvirt, in a single line. */
const someLine = matching(/^[^\p{Cc}]{1,4096}$/u, "one line of text, of 1 to 4096 characters");

const host = element("host", () => ({
  name: required(attribute("name", hostName)),
  port: attribute("port", integer(0, 65535)),
}));

const device = element(
  "device",
  () => ({
    path: required(attribute("path", someLine)),
    partSeparator: attribute("part_separator", yesNo),
  }),
  [dropped("freeExtent", "only the disk knows its free space")],
);

const secret = checked(
  element("secret", () => ({
    type: attribute("type", oneOf("iscsi", "ceph")),
    uuid: attribute("uuid", uuid),
    usage: attribute("usage", objectName),
  })),
  refuseUnnamed,
);
const auth = element("auth", () => ({
  type: required(attribute("type", oneOf("chap", "ceph"))),
  username: required(attribute("username", objectName)),
  secret: required(child(secret)),
}));

const version = matching(/^[^,\p{Cc}]{1,64}$/u, "a version without a comma, such as 4.1");

/**
 * `<source>` of a pool, with the parts of all types in libvirt's order.
 * https://libvirt.org/formatstorage.html#source-elements, virStoragePoolSourceFormat() of libvirt
 */
export const source = element("source", () => ({
  hosts: children(host),
  devices: children(device),
  dir: child(element("dir", () => ({ path: required(attribute("path", someLine)) }))),
  adapter: child(adapter),
  name: textOf("name", objectName),
  initiator,
  format: child(element("format", () => ({ type: required(attribute("type", lineOfText)) }))),
  auth: child(auth),
  protocol: child(element("protocol", () => ({ version: required(attribute("ver", version)) }))),
  vendor: child(element("vendor", () => ({ name: required(attribute("name", lineOfText)) }))),
  product: child(element("product", () => ({ name: required(attribute("name", lineOfText)) }))),
}));

/** Storage of a pool. */
export type PoolSource = ValueOf<typeof source>;
