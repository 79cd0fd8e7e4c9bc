import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import type { Paths } from "../../plan/paths.ts";
import { probeArguments } from "../../qemu/monitor/emulator-facts.ts";
import { askQemu } from "../../report/qemu-version.ts";
import { resolveProgram } from "../../resolve/places/host-program.ts";
import type { Instance } from "../../state/instance.ts";

/** Emulator to ask, and the type of its guests. */
interface Emulator {
  readonly path: string;
  readonly type: "kvm" | "qemu";
}

/** Questions for an emulator, and the file with its cached answers. */
interface Questions<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  readonly file: (paths: Paths, emulator: string, type: "kvm" | "qemu") => string;
  /** QMP commands. The last makes QEMU quit. */
  readonly input: string;
  /** Parses the whole output of QEMU. */
  parse(output: string): v.InferOutput<Schema>;
}

/**
 * Returns the answers of an emulator. QEMU is queried once per version and boot, and root caches its answers.
 * Throws "not-found", "denied" as resolveProgram(); "failed" when it does not answer.
 */
export async function askOnce<Schema extends v.GenericSchema>(
  instance: Instance,
  { path: emulator, type }: Emulator,
  { file: fileOf, input, parse, schema }: Questions<Schema>,
): Promise<v.InferOutput<Schema>> {
  const { host, paths } = instance;
  const file = host.inspectFile(resolveProgram(host, emulator));
  if (file === undefined) throw gone(emulator);
  const { id, sizeBytes, times } = file;
  // The usable processors depend on the emulator's file and on the boot. No program sets the time of the last
  // change.
  const of = [
    ...[id.path, id.device, id.inode, sizeBytes, times.modifiedNs, times.changedNs],
    host.getBootId(),
  ].join(" ");
  const path = fileOf(paths, id.path, type);
  const known = readKept(instance, path, { of, schema });
  if (known !== undefined) return known.facts;
  const facts = parse(await ask(instance, { path: id.path, type }, input));
  // Only root can write the cache; other users ask QEMU each time.
  if (host.getUid() === 0) {
    host.makeFolder({ path: path.slice(0, path.lastIndexOf("/")), mode: 0o700 });
    host.writeText(path, `${JSON.stringify({ format: 1, of, facts })}\n`, 0o600);
  }
  return facts;
}

function gone(emulator: string): SvirtError {
  return new SvirtError(`Cannot query the capabilities of ${emulator}: it was removed meanwhile`, {
    kind: "not-found",
    remedy: "Repeat the command.",
  });
}

async function ask(
  { host, paths }: Instance,
  { path: emulator, type }: Emulator,
  input: string,
): Promise<string> {
  const words = probeArguments(emulator, type);
  const output = await askQemu(host, paths, { words, type, input });
  if ("text" in output) return output.text;
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

/**
 * Reads the cached answers; undefined if they are of another emulator or boot, damaged, or of another version
 * of svirt.
 */
function readKept<Schema extends v.GenericSchema>(
  { host }: Instance,
  path: string,
  { of, schema }: { readonly of: string; readonly schema: Schema },
): { readonly facts: v.InferOutput<Schema> } | undefined {
  if (host.getUid() !== 0) return undefined;
  try {
    const { facts } = v.parse(kept(of), JSON.parse(host.readText(path) ?? ""));
    return { facts: v.parse(schema, facts) };
  } catch {
    return undefined;
  }
}

/** Returns the form of cached answers of an emulator in a boot. */
const kept = (of: string) => v.strictObject({ format: v.literal(1), of: v.literal(of), facts: v.unknown() });
