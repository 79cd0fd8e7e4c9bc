import type { Domain } from "../domain/domain.ts";
import type { LabelDecision } from "../label/label-decision.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Instance } from "./instance.ts";
import { takeNextId } from "./next-domain-id.ts";
import { type GuestChange, type GuestRecord, readRecord } from "./record.ts";

/** Recorded decisions of a start. */
export interface DecidedStart {
  readonly label: LabelDecision;
  readonly uid: number;
  readonly xml: string;
  readonly steps: readonly Step[];
  /** Steps after the load of a saved state. */
  readonly after: readonly Step[];
  readonly isIncoming: boolean;
  /** The guest stays paused once its saved state is loaded. */
  readonly isPaused?: boolean;
}

/** Returns the record of a guest that is about to start. An unfinished start keeps its id. */
export function newRecord(instance: Instance, domain: Domain, decided: DecidedStart): GuestRecord {
  const id = readRecord(instance, domain.uuid)?.id ?? takeNextId(instance);
  return { ...plannedRecord(instance, domain, decided), id };
}

/** Returns the record that a guest would have after a start, with the id 0, and changes nothing. */
export function plannedRecord(instance: Instance, domain: Domain, decided: DecidedStart): GuestRecord {
  const { baseLabel, imageLabel, label, model, relabel, type } = decided.label;
  return {
    format: 1,
    uuid: domain.uuid,
    name: domain.name,
    id: 0,
    uid: decided.uid,
    bootId: instance.host.getBootId(),
    state: "starting",
    startedMs: instance.host.nowMs(),
    xml: decided.xml,
    label: {
      model,
      type,
      relabel,
      ...(label === undefined ? {} : { label }),
      ...(imageLabel === undefined ? {} : { imageLabel }),
      ...(baseLabel === undefined ? {} : { baseLabel }),
    },
    enforcing: instance.host.getSelinux().mode === "enforcing",
    steps: [...decided.steps],
    ...endActions(domain),
    ...(decided.isIncoming ? { restored: true, change: wakingChange(decided) } : {}),
    ...(decided.isPaused === true ? { told: { times: 0, to: "pause" } } : {}),
  };
}

/** Change that applies once the guest runs, when its saved state has been loaded. */
function wakingChange({ after, xml }: DecidedStart): GuestChange {
  return { what: "restore", stage: "finishing", steps: [], after: [...after], xml };
}

/** Returns the fields of a record that say whether a guest is started again after a power-off or a crash. */
export function endActions({ onCrash, onPoweroff }: Domain): Pick<GuestRecord, "onPoweroff" | "onCrash"> {
  return {
    onPoweroff: onPoweroff === "restart" ? "restart" : "destroy",
    onCrash: onCrash === "restart" ? "restart" : "destroy",
  };
}
