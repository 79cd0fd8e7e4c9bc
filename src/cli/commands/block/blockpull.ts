import { pullLive } from "../../../vm/block/pull.ts";
import { JOB_OPTIONS, paceOf, runJob } from "../../block-job.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt blockpull DOMAIN PATH` */
export const command: Command = {
  spec: {
    name: "blockpull",
    summary: "merge backing images of a running guest's disk into the disk's own image",
    details:
      "Afterwards the disk's image has the base, or nothing, as its backing image. Images that the guest no longer uses get\n" +
      "their original labels back. Without --wait the job runs in the background and is completed by the next command about\n" +
      "that guest, by svirt list or by svirt recover.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "bandwidth", summary: "bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      {
        name: "base",
        value: "image",
        summary: "new backing image: its path, or vda[N]; default: none",
      },
      ...JOB_OPTIONS,
    ],
  },
  async run(call) {
    const request = pullLive(call.instance, {
      path: operand(call, "path"),
      base: call.options.get("base"),
      bytesPerSecond: paceOf(call),
    });
    await runJob(call, request, {
      label: "Block Pull",
      started: "Block Pull started",
      ready: "Pull complete",
      done: "Pull complete",
      failed: "Pull failed",
      aborted: "Pull aborted",
      end: undefined,
    });
    return undefined;
  },
};
