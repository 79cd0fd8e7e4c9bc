import type { Host } from "../host/host.ts";
import type { ProgramOutput } from "../host/processes.ts";
import type { Paths } from "../plan/paths.ts";
import { formatContext } from "../selinux/context.ts";
import { probeContext, readPolicyFacts } from "./policy-facts.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";

/**
 * Returns the version that QEMU prints, such as 10.0.13, run in a guest's domain. Undefined if it is missing
 * or cannot run.
 */
export async function getQemuVersion(
  host: Host,
  paths: Paths,
  emulator: string = EMULATOR,
): Promise<string | undefined> {
  const output = await askQemu(host, paths, { words: [emulator, "--version"], type: "kvm" });
  return "text" in output ? /version (\d+(?:\.\d+)*)/.exec(output.text)?.[1] : undefined;
}

/** Call of QEMU: its arguments, the type of guest whose domain confines it, and its input. */
interface QemuCall {
  readonly words: readonly string[];
  readonly type: "kvm" | "qemu";
  readonly input?: string;
}

/**
 * Returns QEMU's output, run in a guest's domain without categories if the host has SELinux. The path has no
 * symlinks.
 */
export async function askQemu(
  host: Host,
  paths: Paths,
  { input, type, words }: QemuCall,
): Promise<ProgramOutput> {
  host.makeFolder({ path: paths.log, mode: 0o700 });
  const given = input === undefined ? {} : { input };
  // Without input it only prints its version.
  const probe = { words, folder: paths.log, hasKvm: type === "kvm" && input !== undefined, ...given };
  if (host.getSelinux().mode === "disabled") return await host.readProbe(probe);
  const facts = readPolicyFacts(host);
  const inputLabel = formatContext({ ...facts.image.image, user: facts.own.user });
  return await host.readProbe({ ...probe, confined: { context: probeContext(facts, type), inputLabel } });
}
