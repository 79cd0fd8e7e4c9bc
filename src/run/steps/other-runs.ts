import type { Step } from "../../plan/steps/step.ts";
import { runAccess } from "./access.ts";
import { runBlock } from "./block/step.ts";
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
import type { QuickStep } from "./run-step.ts";
import { runSocket } from "./socket.ts";
import type { Runs } from "./step-effects.ts";
import { runStream } from "./stream/step.ts";
import { runTree } from "./tree/step.ts";
import { runVolume } from "./volume.ts";

/** Effects of all kinds of steps that run-step.ts does not have itself. */
export const OTHER_RUNS: Runs<Exclude<Step, QuickStep>> = {
  ...runAccess,
  ...runBlock,
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
  ...runStream,
  ...runTree,
  ...runVolume,
};
