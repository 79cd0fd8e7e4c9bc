import type { BlockJob } from "../../../plan/facts/block-job.ts";
import { endBlockJob, paceBlockJob, readJob } from "../../../vm/block/jobs.ts";
import { formatProgress, paceOf, refuseBoth } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";

/** Names of jobs in virsh. virshDomainBlockJobToString() of libvirt's tools/virsh-domain.c */
const NAMES: Readonly<Record<BlockJob["type"], string>> = {
  pull: "Block Pull",
  copy: "Block Copy",
  commit: "Block Commit",
  "active-commit": "Active Block Commit",
  snapshot: "Unknown job",
};
const MIB = 1024 * 1024;

/** `svirt blockjob DOMAIN PATH` */
export const command: Command = {
  spec: {
    name: "blockjob",
    summary: "show, limit or end a job on a running guest's disk",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "bandwidth", summary: "set the bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      { name: "info", summary: "show the progress; the default" },
      { name: "abort", summary: "end the job; the disk keeps its images" },
      { name: "pivot", summary: "implies --abort; switch the disk to the copy or the base" },
      { name: "async", summary: "implies --abort; do not wait for its end" },
      { name: "bytes", summary: "bandwidth in bytes rather than MiB/s" },
      { name: "raw", summary: "implies --info; output details rather than human summary" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { instance, operands, options } = call;
    for (const one of ["raw", "info", "bytes"])
      for (const other of ["abort", "pivot", "async"]) refuseBoth(call, one, other);
    for (const one of ["raw", "info"]) refuseBoth(call, one, "bandwidth");
    const [key, path] = [operand(call, "domain"), operand(call, "path")];
    if (operands.has("bandwidth")) {
      await paceBlockJob(instance, key, { path, bytesPerSecond: paceOf(call) ?? 0 });
    } else if (["abort", "pivot", "async"].some((name) => options.has(name))) {
      const end = options.has("pivot") ? "pivot" : "abort";
      await endBlockJob(instance, key, { path, end, isAsync: options.has("async") });
    } else {
      await printInfo(call, path);
    }
    return undefined;
  },
};

async function printInfo(call: Call, path: string): Promise<void> {
  const { instance, options, output } = call;
  const found = await readJob(instance, operand(call, "domain"), path);
  if (options.has("json")) return printJson(call, found === undefined ? null : factsOf(found));
  if (found === undefined) {
    if (!options.has("raw")) output.print(`No current block job for ${path}\n`);
    return;
  }
  const { current, speed, total, type } = factsOf(found);
  if (options.has("raw")) {
    const bandwidth = options.has("bytes") ? speed : Math.floor(speed / MIB);
    output.print(` type=${type}\n bandwidth=${bandwidth}\n cur=${current}\n end=${total}\n`);
    return;
  }
  output.warn(formatProgress(type, current, total));
  output.print(speed === 0 ? "\n" : `    Bandwidth limit: ${speed} bytes/s (${formatCapacity(speed)}/s)\n`);
}

function factsOf({ job, qemu, speed }: NonNullable<Awaited<ReturnType<typeof readJob>>>) {
  const { "current-progress": current, "total-progress": total, status } = qemu;
  return { type: NAMES[job.type], status, speed, current, total };
}
