import { SvirtError } from "../../../errors.ts";
import { getCompletedJob, getDomainJob } from "../../../vm/save/domain-job.ts";
import type { DomainJob } from "../../../vm/save/job-statistics.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";

/** `svirt domjobinfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "domjobinfo",
    summary: "show the progress of a save or dump of a guest, whichever process carries it out",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "completed", summary: "show the last successful job" },
      { name: "keep-completed", summary: "as virsh; showing a job never forgets it" },
      JSON_OPTION,
    ],
    recovery: "none",
  },
  async run(call) {
    const isCompleted = call.options.has("completed");
    if (call.options.has("keep-completed") && !isCompleted) throw alone();
    const job = (isCompleted ? getCompletedJob : getDomainJob)(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, job ?? {});
    else
      call.output.print(
        `${job === undefined ? line("Job type:", "None".padEnd(12)) : format(job, isCompleted ? "Completed" : "Unbounded")}\n`,
      );
    return undefined;
  },
};

/** virshDomainJobOperationToString() of libvirt's tools/virsh-domain.c */
const NAMES: Readonly<Record<DomainJob["operation"], string>> = {
  save: "Save",
  dump: "Dump",
  snapshot: "Snapshot",
};

/** cmdDomjobinfo() of libvirt's tools/virsh-domain.c */
function format({ doneBytes, elapsedMs, operation, totalBytes }: DomainJob, type: string): string {
  const sizes = [
    ["processed", doneBytes],
    ["remaining", Math.max(0, totalBytes - doneBytes)],
    ["total", totalBytes],
  ] as const;
  return [
    line("Job type:", type.padEnd(12)),
    line("Operation:", NAMES[operation].padEnd(12)),
    line("Time elapsed:", `${String(Math.round(elapsedMs)).padEnd(12)} ms`),
    ...["Data", "Memory"].flatMap((what) =>
      sizes.map(([size, bytes]) => line(`${what} ${size}:`, formatCapacity(bytes))),
    ),
  ].join("");
}

/** VSH_REQUIRE_OPTION() of libvirt's tools/vsh.h */
function alone(): SvirtError {
  return new SvirtError("Option --completed is required by option --keep-completed", {
    kind: "usage",
    remedy: "Give both options.",
  });
}

function line(name: string, value: string): string {
  return `${name.padEnd(17)} ${value}\n`;
}
