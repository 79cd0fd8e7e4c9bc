import { type DumpWish, planDump } from "../../plan/actions/stream.ts";
import type { Progress } from "../../run/actor.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Node } from "../../state/instance.ts";
import { changeGuest, type LookingChange } from "../change/change-guest.ts";
import { findRunning } from "../guest/find-domain.ts";
import { lookAtGuest, refuseJobs } from "./look-at-guest.ts";
import { decideTarget } from "./target-file.ts";

/** Writes a guest's memory to a file. Throws "wrong-state" if it is off, and the errors of the file and of QEMU. */
export async function dumpDomain(
  node: Node,
  key: string,
  how: {
    readonly path: string;
    readonly wish: DumpWish;
    readonly watch?: Watch;
    readonly onProgress?: Progress;
  },
): Promise<{ name: string }> {
  const { guest, name } = findRunning(node, key);
  const { path, wish, ...audience } = how;
  const asked: LookingChange = {
    what: "dump",
    async look(seen) {
      const facts = await lookAtGuest(node, seen);
      return {
        what: "dump",
        decide(now) {
          if (wish.format === undefined) refuseJobs(now);
          const plan = planDump(decideTarget(node, path, now.uuid), facts, wish);
          return { ...plan, xml: now.xml, ...(wish.afterwards === "end" ? { ends: "crashed" } : {}) };
        },
      };
    },
  };
  await changeGuest(node, guest.uuid, { asked, ...audience });
  return { name };
}
