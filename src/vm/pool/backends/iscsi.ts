import type { Instance } from "../../../state/instance.ts";
import type { Pool } from "../../../storage/pool/stored-pool.ts";
import { refuseOtherSource } from "../find-pool.ts";
import { planLogOut, refuseUsedSession, SESSION_SOURCE, sessionStart } from "../iscsi/session.ts";
import type { PoolBackend } from "./backend.ts";

/** Target of iSCSI with a login by the host. */
export const iscsi = {
  isBuiltByStart: "never",
  build: () => [],
  start: sessionStart,
  end: {
    before: async () => [],
    explain: "as it is",
    source: SESSION_SOURCE,
    check: refuseUnendable,
    after: planLogOut,
  },
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;

/** The session of another target has no lock. */
function refuseUnendable(instance: Instance, pool: Pool, seen: Pool): void {
  refuseOtherSource(pool, seen);
  refuseUsedSession(instance, pool);
}
