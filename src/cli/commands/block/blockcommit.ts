import { commitLive } from "../../../vm/block/commit.ts";
import { endOf, JOB_OPTIONS, paceOf, refuseBoth, runJob } from "../../block-job.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt blockcommit DOMAIN PATH` */
export const command: Command = {
  spec: {
    name: "blockcommit",
    summary: "write what an image of a disk has down into one below it, while the guest runs",
    details:
      "The image that is written into gets the guest's own label for that time, and afterwards the one for what it is\n" +
      "then. Images that the guest has no more get the labels back that they had before it. It is refused while another\n" +
      "guest, or another disk, stands on the base.\n" +
      "Without --wait the job goes on by itself. One that needs nobody is finished by the next command about\n" +
      "that guest, svirt list or svirt recover: until then the disk keeps its images and their labels.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "bandwidth", summary: "bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      { name: "base", value: "image", summary: "what is written into: its path, or vda[N]; else the lowest" },
      { name: "shallow", summary: "use the image right below the top as base" },
      {
        name: "top",
        value: "image",
        summary: "what is written down, with all above the base; else the disk's own",
      },
      { name: "active", summary: "the disk's own image, which the guest writes to meanwhile" },
      { name: "pivot", summary: "implies --active --wait; the guest goes on with the base" },
      { name: "keep-overlay", summary: "implies --active --wait; the guest goes on with what it has" },
      ...JOB_OPTIONS,
    ],
  },
  async run(call) {
    refuseBoth(call, "pivot", "keep-overlay");
    const { node, options } = call;
    const isActive = ["active", "pivot", "keep-overlay"].some((name) => options.has(name));
    const asked = commitLive(node, {
      path: operand(call, "path"),
      top: options.get("top"),
      base: options.get("base"),
      isShallow: options.has("shallow"),
      isActive,
      bytesPerSecond: paceOf(call),
    });
    await runJob(call, asked, {
      label: "Block commit",
      started: isActive ? "Active Block Commit started" : "Block Commit started",
      ready: "Now in synchronized phase",
      done: "Commit complete",
      failed: "Commit failed",
      aborted: "Commit aborted",
      end: endOf(call, { option: "keep-overlay", said: "Commit complete, overlay image kept" }),
    });
    return undefined;
  },
};
