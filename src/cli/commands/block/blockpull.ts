import { pullLive } from "../../../vm/block/pull.ts";
import { JOB_OPTIONS, paceOf, runJob } from "../../block-job.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt blockpull DOMAIN PATH` */
export const command: Command = {
  spec: {
    name: "blockpull",
    summary: "read what is below a disk's image up into it, while the guest runs",
    details:
      "Afterwards the disk stands on the base alone, or on nothing, and the images that it has no more get the labels\n" +
      "back that they had before the guest. Without --wait the job goes on by itself, and is finished by the next\n" +
      "command about that guest, svirt list or svirt recover.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "bandwidth", summary: "bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      {
        name: "base",
        value: "image",
        summary: "what the disk still stands on: its path, or vda[N]; else nothing",
      },
      ...JOB_OPTIONS,
    ],
  },
  async run(call) {
    const asked = pullLive(call.node, {
      path: operand(call, "path"),
      base: call.options.get("base"),
      bytesPerSecond: paceOf(call),
    });
    await runJob(call, asked, {
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
