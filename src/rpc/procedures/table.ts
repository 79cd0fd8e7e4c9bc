import { connectionProcedures } from "./connection.ts";
import { agentProcedures } from "./domain/agent.ts";
import { blockJobProcedures } from "./domain/block-jobs.ts";
import { definitionProcedures } from "./domain/definitions.ts";
import { deviceProcedures } from "./domain/devices.ts";
import { factProcedures } from "./domain/domain-facts.ts";
import { lifeProcedures } from "./domain/domain-life.ts";
import { listProcedures } from "./domain/domain-lists.ts";
import { metadataProcedures } from "./domain/metadata.ts";
import { requestProcedures } from "./domain/requests.ts";
import { savingProcedures } from "./domain/saving.ts";
import { sizeProcedures } from "./domain/sizes.ts";
import { eventProcedures } from "./event-registrations.ts";
import { interfaceProcedures } from "./host/interfaces.ts";
import { nodeProcedures } from "./host/node.ts";
import { nodeDeviceProcedures } from "./host/node-devices.ts";
import { leaseProcedures } from "./network/leases.ts";
import { networkProcedures } from "./network/networks.ts";
import type { Procedure } from "./procedure.ts";
import { secretProcedures } from "./secrets.ts";
import { snapshotListProcedures } from "./snapshot/snapshot-lists.ts";
import { snapshotProcedures } from "./snapshot/snapshots.ts";
import { allDomainProcedures } from "./statistics/all-domains.ts";
import { guestProcedures } from "./statistics/guest.ts";
import { oneDomainProcedures } from "./statistics/one-domain.ts";
import { poolProcedures } from "./storage/pools.ts";
import { contentProcedures } from "./storage/volume-contents.ts";
import { volumeProcedures } from "./storage/volumes.ts";
import { storedProcedures } from "./stored-lists.ts";
import { streamProcedures } from "./streams.ts";
import { limitProcedures } from "./tuning/limits.ts";
import { pinProcedures } from "./tuning/pins.ts";

/** Procedures of libvirt's remote program that svirt answers, by their numbers. All others are unknown to it. */
export const PROCEDURES: ReadonlyMap<number, Procedure> = new Map(
  [
    ...connectionProcedures,
    ...eventProcedures,
    ...nodeProcedures,
    ...nodeDeviceProcedures,
    ...interfaceProcedures,
    ...listProcedures,
    ...factProcedures,
    ...lifeProcedures,
    ...definitionProcedures,
    ...metadataProcedures,
    ...requestProcedures,
    ...agentProcedures,
    ...deviceProcedures,
    ...sizeProcedures,
    ...limitProcedures,
    ...pinProcedures,
    ...savingProcedures,
    ...snapshotProcedures,
    ...snapshotListProcedures,
    ...blockJobProcedures,
    ...allDomainProcedures,
    ...oneDomainProcedures,
    ...guestProcedures,
    ...storedProcedures,
    ...networkProcedures,
    ...leaseProcedures,
    ...poolProcedures,
    ...volumeProcedures,
    ...contentProcedures,
    ...streamProcedures,
    ...secretProcedures,
  ].map((declared) => [declared.number, declared]),
);
