import { describe, expect, test } from "bun:test";
import { errorsOf } from "../../src/errors.ts";
import { completeSecret, formatSecret, parseSecret } from "../../src/secret/document.ts";
import { bytesOf } from "../domain/corpus.ts";

const UUID = "55806c7d-8e93-456f-829b-607d8c198367";

/** Returns a document as libvirt writes it: virSecretDefFormat(). */
function libvirts(flags: string, content = ""): string {
  return `<secret ${flags}>\n  <uuid>${UUID}</uuid>\n${content}</secret>\n`;
}

const usage = (type: string, tag: string, id: string): string =>
  `  <usage type='${type}'>\n    <${tag}>${id}</${tag}>\n  </usage>\n`;

describe("a secret's document", () => {
  test.each([
    ["without use", libvirts("ephemeral='no' private='no'")],
    [
      "of a volume",
      libvirts(
        "ephemeral='yes' private='yes'",
        `  <description>LUKS</description>\n${usage("volume", "volume", "/srv/a.img")}`,
      ),
    ],
    ["of Ceph", libvirts("ephemeral='no' private='yes'", usage("ceph", "name", "client.admin secret"))],
    [
      "of an iSCSI target",
      libvirts("ephemeral='no' private='yes'", usage("iscsi", "target", "libvirtiscsi")),
    ],
    ["of TLS", libvirts("ephemeral='no' private='no'", usage("tls", "name", "TLS_example"))],
    ["of a TPM", libvirts("ephemeral='no' private='no'", usage("vtpm", "name", "VTPM_example"))],
  ])("%s is written as libvirt writes it", (_, xml) => {
    expect(formatSecret(completeSecret(parseSecret(bytesOf(xml)), "spare"))).toBe(xml);
  });

  test("gets libvirt's defaults", () => {
    const xml = "<secret><usage type='ceph'><name>a</name></usage></secret>";
    expect(formatSecret(completeSecret(parseSecret(bytesOf(xml)), UUID))).toBe(
      libvirts("ephemeral='no' private='no'", usage("ceph", "name", "a")),
    );
  });

  test.each([
    ["<secret private='maybe'/>", "/secret/@private"],
    ["<secret ephemeral=''/>", "/secret/@ephemeral"],
    ["<secret><uuid>1</uuid></secret>", "/secret/uuid"],
    ["<secret><value>a</value></secret>", "/secret/value"],
    ["<secret><usage/></secret>", "/secret/usage/@type"],
    // libvirt had this type in 2.1 only.
    ["<secret><usage type='passphrase'><name>a</name></usage></secret>", "/secret/usage/@type"],
    ["<secret><usage type='ceph'/></secret>", "/secret/usage/name"],
    ["<secret><usage type='iscsi'><name>a</name></usage></secret>", "/secret/usage/name"],
    ["<secret><usage type='volume'><volume>a.img</volume></usage></secret>", "/secret/usage/volume"],
    ["<secret><usage type='tls'><name>a\nb</name></usage></secret>", "/secret/usage/name"],
  ])("%s is refused by its place", (xml, place) => {
    expect(errorsOf(() => parseSecret(bytesOf(xml))).map((error) => error.place)).toContain(place);
  });

  test("of another kind is refused", () => {
    const [error] = errorsOf(() => parseSecret(bytesOf("<pool/>")));
    expect(error?.message).toContain("it is not a <secret>");
  });
});
