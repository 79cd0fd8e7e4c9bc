import { unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { poolStore } from "../../state/pools/pools.ts";
import { hasFolder } from "../../storage/pool/rules/startable.ts";
import type { Pool } from "../../storage/pool/stored-pool.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { plannedOf } from "../object-change/change-of.ts";
import { poolWork } from "../object-change/noted-work.ts";
import type { RunPart, SlowChange } from "../object-change/slow-change.ts";
import type { StoredIdentity } from "../stored/mark-stored.ts";
import { openedTarget, type PoolStart, planOpening } from "./open-target.ts";
import { targetHold } from "./target-lock.ts";

/**
 * Further look at the source, which is also done before the lock is taken: on a disk that hangs, this command
 * then waits alone.
 */
export type SourceCheck = (host: Host, pool: Pool) => void;

/**
 * Makes a pool active whose source is there: checks it under the registry's lock, and records the pool.
 */
export async function startHeld(
  instance: Instance,
  start: PoolStart,
  check?: SourceCheck,
): Promise<StoredIdentity> {
  // A build has used the source already.
  if (!start.options.isBuilt) unlessRefused(() => check?.(instance.host, start.seen));
  return await carryOut(instance, heldStart(start, check));
}

/** Returns the change of startHeld(). It makes the folder first if the start is to build it. */
export function heldStart(
  { choose, command, options, seen, ...ahead }: PoolStart,
  check?: SourceCheck,
): Change<StoredIdentity> & Required<Pick<Change<StoredIdentity>, "hold">> {
  const { held, hold } = targetHold({ pool: seen, isBuilt: options.isBuilt });
  return {
    kind: "pool",
    hold,
    plan(instance) {
      const { name, pool, uuid, xml } = choose();
      const built = planOpening(instance, pool, { ...options, ...ahead, held: held() });
      if (ahead.isPlannedAhead !== true) check?.(instance.host, pool);
      const steps = [...built, poolStore.activeStep(instance, name, xml)];
      return plannedOf({ kind: "pool", name, uuid }, { command, steps, commit: "last" });
    },
    // The label of a new folder decides, too.
    check: (instance, next) => {
      if (next?.do === "replace-text" && options.isBuilt && hasFolder(seen)) openedTarget(instance, seen);
    },
  };
}

/** Source of a pool, brought up by a start and released by an end. */
export interface PoolSource {
  /** Does the work while no other call brings the source up or releases it. The caller holds no lock. */
  hold<Result>(instance: Instance, pool: Pool, work: () => Promise<Result>): Promise<Result>;
  /** Reports whether it is up. Reads files of the kernel alone, and waits for nothing. */
  isUp(instance: Instance, pool: Pool): boolean;
}

/** How the source of a pool comes up. */
interface Source extends Pick<SlowChange<unknown>, "keeps"> {
  readonly source: PoolSource;
  /** Decides the steps, and changes nothing. The caller holds no lock. */
  plan(instance: Instance): Promise<readonly Step[]>;
  /** Runs the steps in parts; absent: all at once. */
  bringUp?(instance: Instance, run: RunPart): Promise<void>;
}

/**
 * Returns the change that brings the source of a pool up, and makes the pool active as startHeld() does. If
 * it fails, the source is released again.
 */
export function startAfter(
  start: PoolStart,
  { bringUp, plan, source, ...rest }: Source,
): SlowChange<StoredIdentity> {
  const { command, seen } = start;
  return {
    kind: "pool",
    ...rest,
    hold: async (instance, work) => await source.hold(instance, seen, work),
    // Another program's session, and volumes activated by the host, are not the start's.
    noted: {
      work: (instance) => poolWork(instance, seen, { command, kind: "source" }),
      isNeeded: (instance) => !source.isUp(instance, seen),
    },
    async plan(instance) {
      const steps = await plan(instance);
      const { change } = await heldStart({ ...start, isPlannedAhead: true }).plan(instance);
      return { change: change && { ...change, steps: [...steps, ...change.steps], commit: "repeat" } };
    },
    async run(instance, run) {
      if (bringUp === undefined) await run(await plan(instance));
      else await bringUp(instance, run);
      const last = heldStart(start);
      return await last.hold(instance, async () => {
        const { change, result } = await last.plan(instance);
        await run(change?.steps ?? []);
        return result;
      });
    },
  };
}
