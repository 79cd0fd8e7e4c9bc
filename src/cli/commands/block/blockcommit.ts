import { commitLive } from "../../../vm/block/commit.ts";
import { endOf, JOB_OPTIONS, paceOf, refuseBoth, runJob } from "../../block-job.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt blockcommit DOMAIN PATH` */
export const command: Command = {
  spec: {
    name: "blockcommit",
    summary: "merge images of a running guest's disk into an image below them",
    details:
      "The base has the guest's private label during the job, and the label of its new use after it. Images that\n" +
      "the guest no longer uses get their original labels back. The job is refused if another guest or another disk\n" +
      "uses the base.\n" +
      "Without --wait the job runs in the background. A job that needs no further command is completed by the next command about\n" +
      "that guest, by svirt list or by svirt recover; until then the disk keeps its images and their labels.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the disk: its target, or the path of its image" },
      { name: "bandwidth", summary: "bandwidth limit in MiB/s", isOptional: true },
    ],
    options: [
      {
        name: "base",
        value: "image",
        summary: "image to merge into: its path, or vda[N]; default: the lowest",
      },
      { name: "shallow", summary: "use the image right below the top as base" },
      {
        name: "top",
        value: "image",
        summary: "topmost image to merge; default: the disk's own image",
      },
      { name: "active", summary: "merge the disk's own image, written by the guest" },
      { name: "pivot", summary: "implies --active --wait; switch the guest to the base" },
      { name: "keep-overlay", summary: "implies --active --wait; keep the guest on its image" },
      ...JOB_OPTIONS,
    ],
  },
  async run(call) {
    refuseBoth(call, "pivot", "keep-overlay");
    const { instance, options } = call;
    const isActive = ["active", "pivot", "keep-overlay"].some((name) => options.has(name));
    const request = commitLive(instance, {
      path: operand(call, "path"),
      top: options.get("top"),
      base: options.get("base"),
      isShallow: options.has("shallow"),
      isActive,
      bytesPerSecond: paceOf(call),
    });
    await runJob(call, request, {
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
