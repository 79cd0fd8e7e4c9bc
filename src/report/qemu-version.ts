import type { Host } from "../host.ts";
import type { Paths } from "../plan/paths.ts";
import { formatContext } from "../selinux/context.ts";
import { readPolicyFacts } from "./policy-facts.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";

/** Like 10.0.13, as QEMU says itself, run in a guest's domain; undefined when it is not there or cannot be run. */
export function getQemuVersion(host: Host, paths: Paths, emulator: string = EMULATOR): string | undefined {
  const words = [emulator, "--version"];
  const output =
    host.getSelinux().mode === "disabled" ? host.readOutput(words) : readConfined(host, paths, words);
  return /version (\d+(?:\.\d+)*)/.exec(output ?? "")?.[1];
}

function readConfined(host: Host, paths: Paths, words: readonly string[]): string | undefined {
  const { own, domain } = readPolicyFacts(host);
  const { role, user } = own;
  host.makeFolder({ path: paths.log, mode: 0o700 });
  return host.readOutput(words, {
    context: formatContext({ ...domain.kvm, user, role }),
    logFolder: paths.log,
  });
}
