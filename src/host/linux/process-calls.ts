import { findHoldings } from "./holders/holdings.ts";
import { listOpened } from "./holders/leases.ts";
import { listOpenFiles } from "./holders/open-files.ts";
import { processCalls } from "./processes/processes.ts";

/** Methods for processes and their files, loaded without the methods for networks, volumes and mounts. */
export const calls = { ...processCalls, findHoldings, listOpened, listOpenFiles };

/** Methods of this file. */
export type ProcessCall = keyof typeof calls;
