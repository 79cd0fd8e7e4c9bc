import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";
import { formatContext } from "../selinux/context.ts";
import { readPolicyFacts } from "./policy-facts.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";

/** Like 10.0.13, as QEMU says itself, run in a guest's domain; undefined when it is not there or cannot be run. */
export function getQemuVersion(host: Host, paths: Paths, emulator: string = EMULATOR): string | undefined {
  const output = askQemu(host, paths, { words: [emulator, "--version"], type: "kvm" });
  return /version (\d+(?:\.\d+)*)/.exec(output ?? "")?.[1];
}

/** A call of QEMU: as guests of which type are confined, and what it reads. */
interface QemuCall {
  readonly words: readonly string[];
  readonly type: "kvm" | "qemu";
  readonly input?: string;
}

/** What QEMU prints, run in a guest's domain without categories; undefined when it cannot be run. */
export function askQemu(host: Host, paths: Paths, { input, type, words }: QemuCall): string | undefined {
  if (host.getSelinux().mode === "disabled") return host.readOutput(words, undefined, input);
  const { domain, image, own } = readPolicyFacts(host);
  const { role, user } = own;
  host.makeFolder({ path: paths.log, mode: 0o700 });
  const confined = {
    context: formatContext({ ...domain[type], user, role }),
    inputLabel: formatContext({ ...image.image, user }),
    logFolder: paths.log,
  };
  return host.readOutput(words, confined, input);
}
