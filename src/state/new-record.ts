import type { Domain } from "../domain/domain.ts";
import type { LabelDecision } from "../label/guest-label.ts";
import type { Step } from "../plan/steps/step.ts";
import type { Node } from "./instance.ts";
import { takeNextId } from "./next-id.ts";
import { type GuestChange, type GuestRecord, readRecord } from "./record.ts";

/** What a start was decided to be, as far as its record tells. */
export interface DecidedStart {
  readonly label: LabelDecision;
  readonly uid: number;
  readonly xml: string;
  readonly steps: readonly Step[];
  /** What follows once a state is loaded. */
  readonly after: readonly Step[];
  readonly isIncoming: boolean;
}

/** The record of a guest that is about to start. One that was begun keeps its number. */
export function newRecord(node: Node, domain: Domain, decided: DecidedStart): GuestRecord {
  const { baseLabel, imageLabel, label, relabel, type } = decided.label;
  return {
    format: 1,
    uuid: domain.uuid,
    name: domain.name,
    id: readRecord(node, domain.uuid)?.id ?? takeNextId(node),
    uid: decided.uid,
    bootId: node.host.getBootId(),
    state: "starting",
    startedMs: node.host.nowMs(),
    xml: decided.xml,
    label: {
      type,
      relabel,
      ...(label === undefined ? {} : { label }),
      ...(imageLabel === undefined ? {} : { imageLabel }),
      ...(baseLabel === undefined ? {} : { baseLabel }),
    },
    enforcing: node.host.getSelinux().mode === "enforcing",
    steps: [...decided.steps],
    onPoweroff: domain.onPoweroff === "restart" ? "restart" : "destroy",
    onCrash: domain.onCrash === "restart" ? "restart" : "destroy",
    ...(decided.isIncoming ? { restored: true, change: wakingChange(decided) } : {}),
  };
}

/** Counts once the guest runs: its state is loaded then. */
function wakingChange({ after, xml }: DecidedStart): GuestChange {
  return { what: "restore", stage: "finishing", steps: [], after: [...after], xml };
}
