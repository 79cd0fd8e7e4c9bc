import { numberState } from "../../../qemu/monitor/state-numbers.ts";
import { readReason } from "../../../state/shutoff-reason.ts";
import { askState } from "../guest-state.ts";
import type { Entry, Subject } from "./subject.ts";

/** Lists the entries of VIR_DOMAIN_STATS_STATE. */
export async function listState({ found, instance, running }: Subject): Promise<readonly Entry[]> {
  const is =
    running === undefined
      ? { state: "shut off" as const, reason: readReason(instance, found.uuid) ?? "unknown" }
      : await askState(running.guest, running.monitor);
  const { reason, state } = numberState(is);
  return [
    ["state.state", state],
    ["state.reason", reason],
  ];
}
