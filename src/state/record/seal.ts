import type { Host } from "../../host/host.ts";

/** The running svirt. Without a build it was not built: it runs from its sources. */
interface Writer {
  readonly build?: string;
  readonly host: Pick<Host, "checksum">;
}

const FIELD = ',"seal":"';
const END = '"}';

/**
 * Adds to a JSON object, as its last field, which build of svirt has written it, and a checksum. The same
 * build need not check it by a schema again. Without a build the text stays as it is.
 */
export function seal({ build, host }: Writer, body: string): string {
  return build === undefined ? body : `${body.slice(0, -1)}${FIELD}${sealOf(host, build, body)}${END}`;
}

/** Returns a JSON object without its seal; isOwn: this build wrote it, and it is unchanged since. */
export function unseal(
  { build, host }: Writer,
  text: string,
): { readonly body: string; readonly isOwn: boolean } {
  // Quotation marks inside of values are escaped.
  const at = text.lastIndexOf(FIELD);
  if (at === -1) return { body: text, isOwn: false };
  const body = `${text.slice(0, at)}}`;
  const found = text.slice(at + FIELD.length).trimEnd();
  return { body, isOwn: build !== undefined && found === sealOf(host, build, body) + END };
}

function sealOf(host: Writer["host"], build: string, body: string): string {
  return `${build}:${host.checksum(body)}`;
}
