import type { Instance } from "../../state/instance.ts";
import { type SnapshotTree, snapshotsStep } from "../../state/snapshots/snapshots.ts";
import type { Change } from "../object-change/change.ts";
import { changeOf } from "../object-change/change-of.ts";
import { type DomainSnapshots, findSnapshots } from "./find-snapshot.ts";

/** Change of the stored snapshots of a domain. */
export type SnapshotsChange = Change<undefined>;

/**
 * Returns the change of the stored snapshots of a domain, in one write. No image changes. Throws "not-found",
 * and the errors of the decision. `command`: for the operator, such as `snapshot-current`.
 */
export function changeSnapshots(
  command: string,
  key: string,
  decide: (found: DomainSnapshots) => SnapshotTree,
): SnapshotsChange {
  return {
    kind: "domain",
    plan(instance: Instance) {
      const found = findSnapshots(instance, key);
      const { name, uuid } = found.domain;
      const steps = [snapshotsStep(instance, uuid, decide(found))];
      const change = changeOf({ kind: "domain", name, uuid }, { command, steps, commit: "first" });
      return { change, result: undefined };
    },
  };
}
