import type { Domain } from "../domain/domain.ts";
import type { Instance } from "./instance.ts";

/** XML of a domain, and the file that keeps the parsed domain. */
interface KeptDomain {
  readonly path: string;
  readonly xml: string;
}

/** Returns the domain kept in a file; undefined if it is of another XML or another build of svirt. */
export function readKeptDomain(instance: Instance, { path, xml }: KeptDomain): Domain | undefined {
  const key = keyOf(instance, xml);
  const text = key === undefined ? undefined : instance.host.readText(path);
  if (key === undefined || text?.startsWith(key) !== true) return undefined;
  try {
    // No schema checks it, since the same build wrote it.
    return JSON.parse(text.slice(key.length)) as Domain;
  } catch {
    // Truncated by a power failure.
    return undefined;
  }
}

/**
 * Keeps a domain in a file that only root reads, so that later commands need not parse its XML. Without a
 * build it keeps nothing. The file is not synced.
 */
export function writeKeptDomain(instance: Instance, { path, xml }: KeptDomain, domain: Domain): void {
  const key = keyOf(instance, xml);
  if (key === undefined) return;
  instance.host.makeFolder({ path: path.slice(0, path.lastIndexOf("/")), mode: 0o700 });
  instance.host.writeVolatile(path, key + JSON.stringify(domain), 0o600);
}

/**
 * Returns the prefix of a kept domain: text with another prefix is of another XML or another build. With the
 * length in front, an XML that begins with the other is another one.
 */
function keyOf({ build }: Instance, xml: string): string | undefined {
  return build === undefined ? undefined : `${build}\n${xml.length}\n${xml}`;
}
