import { startHeld } from "../start-held.ts";
import { NO_END, type PoolBackend } from "./backend.ts";

/** Units of a SCSI host. */
export const scsi = {
  isBuiltByStart: "never",
  build: () => [],
  start: startHeld,
  end: NO_END,
  refresh: [],
  remove: "not removed",
  findSources: "refused",
} as const satisfies PoolBackend;
