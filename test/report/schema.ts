import { existsSync } from "node:fs";

const DATA = process.env["SVIRT_TEST_DATA"] ?? "";
const SCHEMAS = `${DATA}/libvirt/schemas`;

/**
 * What the host lacks for a comparison with libvirt's schemas, as a part of a test's title; empty: nothing.
 */
export const LACK =
  DATA !== "" && existsSync(SCHEMAS) && Bun.which("xmllint") !== null
    ? ""
    : " (skipped: needs SVIRT_TEST_DATA, xmllint)";

/** Validates a document by a schema of libvirt. Returns xmllint's complaint; empty for a valid document. */
export function faultsBy(schema: string, xml: string): string {
  const child = Bun.spawnSync(["xmllint", "--noout", "--relaxng", `${SCHEMAS}/${schema}`, "-"], {
    stdin: Buffer.from(xml),
  });
  return child.exitCode === 0 ? "" : child.stderr.toString();
}
