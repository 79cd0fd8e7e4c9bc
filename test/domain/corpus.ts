import { Glob } from "bun";

const FOLDER = new URL("../data/domain/", import.meta.url).pathname;

/**
 * Names of the valid documents. Together they fill every declared place, each in the form that svirt writes.
 */
export const corpus: readonly string[] = [...new Glob("*.xml").scanSync(FOLDER)].sort();

/** Returns the text of one document. */
export function readCase(name: string): Promise<string> {
  return Bun.file(FOLDER + name).text();
}

/** Encodes text as the bytes that the parsers accept. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns a domain with these devices, followed by the elements of `more`. */
export function domainWith(devices: string, more = ""): Uint8Array {
  return bytesOf(`<domain type='kvm'>
  <name>guest</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <memory unit='MiB'>64</memory>
  <os><type>hvm</type></os>
  <devices>${devices}</devices>
  ${more}
</domain>`);
}
