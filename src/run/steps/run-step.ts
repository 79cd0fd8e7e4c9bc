import type { Step } from "../../plan/steps/step.ts";
import type { Actor } from "../actor.ts";
import { runAccess } from "./access.ts";
import { runBlock } from "./block/step.ts";
import { runClaim } from "./claim.ts";
import { runDevice } from "./device.ts";
import { runFolder } from "./folder.ts";
import { runFormat } from "./format.ts";
import { runShare } from "./host.ts";
import { runLabel } from "./label.ts";
import { runMount } from "./mount.ts";
import { runNetwork } from "./network.ts";
import { runOwner } from "./owner.ts";
import { runPci } from "./pci.ts";
import { runPool } from "./pool/step.ts";
import { runProcess } from "./process.ts";
import { runSocket } from "./socket.ts";
import type { Runs } from "./step-effects.ts";
import { runStored } from "./stored.ts";
import { runStream } from "./stream/step.ts";
import { runTree } from "./tree.ts";
import { runVolume } from "./volume.ts";

const RUNS: Runs<Step> = {
  ...runAccess,
  ...runBlock,
  ...runClaim,
  ...runDevice,
  ...runFolder,
  ...runFormat,
  ...runLabel,
  ...runMount,
  ...runNetwork,
  ...runOwner,
  ...runPci,
  ...runPool,
  ...runProcess,
  ...runShare,
  ...runSocket,
  ...runStored,
  ...runStream,
  ...runTree,
  ...runVolume,
};

/** Carries out a step. It decides nothing, because the step has all data. Throws the errors of the host. */
export async function runStep(actor: Actor, step: Step): Promise<void> {
  // The compiler does not relate a step to the entry of its name.
  const run = RUNS[step.do] as (actor: Actor, step: Step) => void | Promise<void>;
  await run(actor, step);
}
