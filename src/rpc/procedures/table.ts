import { blockJobProcedures } from "./block-jobs.ts";
import { connectionProcedures } from "./connection.ts";
import { definitionProcedures } from "./definitions.ts";
import { deviceProcedures } from "./devices.ts";
import { factProcedures } from "./domain-facts.ts";
import { lifeProcedures } from "./domain-life.ts";
import { listProcedures } from "./domain-lists.ts";
import { interfaceProcedures } from "./interfaces.ts";
import { leaseProcedures } from "./leases.ts";
import { networkProcedures } from "./networks.ts";
import { nodeProcedures } from "./node.ts";
import { nodeDeviceProcedures } from "./node-devices.ts";
import { poolProcedures } from "./pools.ts";
import type { Procedure } from "./procedure.ts";
import { savingProcedures } from "./saving.ts";
import { secretProcedures } from "./secrets.ts";
import { sizeProcedures } from "./sizes.ts";
import { snapshotListProcedures } from "./snapshot-lists.ts";
import { snapshotProcedures } from "./snapshots.ts";
import { allDomainProcedures } from "./statistics/all-domains.ts";
import { guestProcedures } from "./statistics/guest.ts";
import { oneDomainProcedures } from "./statistics/one-domain.ts";
import { storedProcedures } from "./stored-lists.ts";
import { streamProcedures } from "./streams.ts";
import { contentProcedures } from "./volume-contents.ts";
import { volumeProcedures } from "./volumes.ts";

/** Procedures of libvirt's remote program that svirt answers, by their numbers. All others are unknown to it. */
export const PROCEDURES: ReadonlyMap<number, Procedure> = new Map(
  [
    ...connectionProcedures,
    ...nodeProcedures,
    ...nodeDeviceProcedures,
    ...interfaceProcedures,
    ...listProcedures,
    ...factProcedures,
    ...lifeProcedures,
    ...definitionProcedures,
    ...deviceProcedures,
    ...sizeProcedures,
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
