import { formatVariables } from "../../qemu/command-line.ts";
import { formatArgv } from "../../qemu/domain-argv.ts";
import { completeLooseDomain } from "../../resolve/complete-domain.ts";
import type { Instance } from "../../state/instance.ts";
import { xmlOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";

/**
 * Returns QEMU's command line for a domain by its name, id or UUID, or for a document, as libvirt writes it:
 * variables, then the program with its arguments. Throws "not-found", "xml", "unsupported".
 */
export function getNativeCommand(
  instance: Instance,
  subject: { readonly key: string } | { readonly xml: Uint8Array },
): readonly string[] {
  const domain = completeLooseDomain(
    instance.host,
    "xml" in subject ? subject.xml : storedXml(instance, subject.key),
  );
  return [...formatVariables(domain), ...formatArgv(domain)];
}

function storedXml(instance: Instance, key: string): Uint8Array {
  return new TextEncoder().encode(xmlOf(findDomain(instance, key), "defined") ?? "");
}
