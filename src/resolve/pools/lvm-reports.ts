import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { PoolSpace } from "../../storage/pool/document.ts";
import {
  type LogicalVolume,
  type PhysicalVolume,
  parsePhysicalVolumes,
  parseSpace,
  parseVolumes,
  physicalCommand,
  spaceCommand,
  volumesCommand,
} from "../../storage/pool/logical/reports.ts";

/**
 * Lists the volumes of a volume group, also inactive volumes. Throws "failed"; "unsupported" without LVM's
 * programs.
 */
export async function readLogicalVolumes(host: Host, group: string): Promise<readonly LogicalVolume[]> {
  return parseVolumes(await read(host, volumesCommand(group), `read the volume group ${group}`));
}

/** Reads the space of a volume group. Throws as readLogicalVolumes(). */
export async function readGroupSpace(host: Host, group: string): Promise<PoolSpace> {
  return parseSpace(await read(host, spaceCommand(group), `read the volume group ${group}`));
}

/** Lists the physical volumes of the host. Throws as readLogicalVolumes(). */
export async function readPhysicalVolumes(host: Host): Promise<readonly PhysicalVolume[]> {
  return parsePhysicalVolumes(await read(host, physicalCommand(), "search for volume groups"));
}

/** Reads a report. LVM asks each disk of the host, so the caller holds no lock. */
async function read(host: Host, words: readonly string[], attempt: string): Promise<string> {
  const [program = ""] = words;
  if (host.inspectFile(program)?.type !== "file") throw withoutProgram(attempt, program);
  const output = await host.readOutput(words);
  if ("text" in output) return output.text;
  throw new SvirtError(
    `Cannot ${attempt}: ${program} ${output.fault === "timeout" ? "took too long" : "failed"}`,
    { kind: "failed", remedy: `Run it yourself and read its message: ${words.join(" ")}` },
  );
}

function withoutProgram(attempt: string, program: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: ${program} is missing`, {
    kind: "unsupported",
    remedy: "Install lvm2.",
  });
}
