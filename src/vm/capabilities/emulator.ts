import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { emulatorFile } from "../../plan/paths.ts";
import {
  EMULATOR_QUESTIONS,
  type EmulatorFacts,
  emulatorFacts,
  parseEmulatorFacts,
  probeArguments,
} from "../../qemu/monitor/emulator-facts.ts";
import { askQemu } from "../../report/qemu-version.ts";
import type { Instance } from "../../state/instance.ts";

/** Cached answers of an emulator, and the file that gave them. */
const kept = v.strictObject({
  format: v.literal(1),
  /** Identity of the emulator's file and of the boot: the usable processors depend on both. */
  of: v.string(),
  facts: emulatorFacts,
});

/**
 * Returns the capabilities of an emulator. QEMU is queried once per version and boot, and root caches its answer. Throws
 * "not-found"; "failed" when it does not answer.
 */
export async function getEmulatorFacts(
  instance: Instance,
  emulator: string,
  type: "kvm" | "qemu",
): Promise<EmulatorFacts> {
  const { host, paths } = instance;
  const file = host.inspectFile(emulator);
  if (file?.type !== "file") {
    throw new SvirtError(`Cannot query the capabilities of ${emulator}: it is not an executable program`, {
      kind: "not-found",
      remedy: "Install qemu-system-x86, or name another emulator: --emulatorbin",
    });
  }
  const { id, modifiedMs, sizeBytes } = file;
  const of = [id.path, id.device, id.inode, sizeBytes, modifiedMs, host.getBootId()].join(" ");
  const path = emulatorFile(paths, id.path, type);
  const known = readKept(instance, path);
  if (known?.of === of) return known.facts;
  const facts = await ask(instance, id.path, type);
  // Only root can write the cache; other users ask QEMU each time.
  if (host.getUid() === 0) {
    host.makeFolder({ path: path.slice(0, path.lastIndexOf("/")), mode: 0o700 });
    host.writeText(path, `${JSON.stringify({ format: 1, of, facts })}\n`, 0o600);
  }
  return facts;
}

async function ask(
  { host, paths }: Instance,
  emulator: string,
  type: "kvm" | "qemu",
): Promise<EmulatorFacts> {
  const words = probeArguments(emulator, type);
  const output = await askQemu(host, paths, { words, type, input: EMULATOR_QUESTIONS });
  if ("text" in output) return parseEmulatorFacts(output.text);
  const { is, remedy } = describeFault(output.fault, type);
  throw new SvirtError(`Cannot query the capabilities of ${emulator}: ${is}`, { kind: "failed", remedy });
}

function describeFault(
  fault: "failed" | "timeout" | "too-long",
  type: "kvm" | "qemu",
): { readonly is: string; readonly remedy: string } {
  if (fault === "failed") {
    return {
      is: `it does not start as a guest of type ${type}`,
      remedy: type === "kvm" ? "See svirt doctor, or use --virttype qemu." : "See svirt doctor.",
    };
  }
  return {
    is: fault === "timeout" ? "it does not end" : "it prints more than QEMU does",
    remedy: "Name a QEMU emulator: --emulatorbin",
  };
}

/** Reads the cached answer; undefined if it is damaged or of another version of svirt. */
function readKept({ host }: Instance, path: string): v.InferOutput<typeof kept> | undefined {
  if (host.getUid() !== 0) return undefined;
  try {
    return v.parse(kept, JSON.parse(host.readText(path) ?? ""));
  } catch {
    return undefined;
  }
}
