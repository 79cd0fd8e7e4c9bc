import { connectionProcedures } from "./connection.ts";
import { agentProcedures } from "./domain/agent.ts";
import { balloonProcedures } from "./domain/balloon.ts";
import { blockJobProcedures } from "./domain/block-jobs.ts";
import { definitionProcedures } from "./domain/definitions.ts";
import { deviceProcedures } from "./domain/devices.ts";
import { factProcedures } from "./domain/domain-facts.ts";
import { lifeProcedures } from "./domain/domain-life.ts";
import { listProcedures } from "./domain/domain-lists.ts";
import { jobProcedures } from "./domain/jobs.ts";
import { metadataProcedures } from "./domain/metadata.ts";
import { moreFactProcedures } from "./domain/more-facts.ts";
import { peekProcedures } from "./domain/peek.ts";
import { requestProcedures } from "./domain/requests.ts";
import { savedXmlProcedures } from "./domain/saved-xml.ts";
import { savingProcedures } from "./domain/saving.ts";
import { sizeProcedures } from "./domain/sizes.ts";
import { sleepProcedures } from "./domain/sleep.ts";
import { eventProcedures } from "./event-registrations.ts";
import { interfaceProcedures } from "./host/interfaces.ts";
import { nodeProcedures } from "./host/node.ts";
import { nodeDeviceProcedures } from "./host/node-devices.ts";
import { nodeStatisticsProcedures } from "./host/node-statistics.ts";
import { filterProcedures } from "./network/filters.ts";
import { leaseProcedures } from "./network/leases.ts";
import { networkMetadataProcedures } from "./network/network-metadata.ts";
import { networkPortProcedures } from "./network/network-ports.ts";
import { networkProcedures } from "./network/networks.ts";
import type { Procedure } from "./procedure.ts";
import { qemuCommandProcedures } from "./qemu/commands.ts";
import { secretProcedures } from "./secrets.ts";
import { snapshotListProcedures } from "./snapshot/snapshot-lists.ts";
import { snapshotProcedures } from "./snapshot/snapshots.ts";
import { allDomainProcedures } from "./statistics/all-domains.ts";
import { guestProcedures } from "./statistics/guest.ts";
import { oneDomainProcedures } from "./statistics/one-domain.ts";
import { discoveryProcedures } from "./storage/discovery.ts";
import { poolProcedures } from "./storage/pools.ts";
import { contentProcedures } from "./storage/volume-contents.ts";
import { volumeProcedures } from "./storage/volumes.ts";
import { storedProcedures } from "./stored-lists.ts";
import { streamProcedures } from "./streams.ts";
import { diskLimitProcedures } from "./tuning/disk-limits.ts";
import { iothreadProcedures } from "./tuning/iothreads.ts";
import { lifecycleActionProcedures } from "./tuning/lifecycle-action.ts";
import { limitProcedures } from "./tuning/limits.ts";
import { numaProcedures } from "./tuning/numa.ts";
import { perfProcedures } from "./tuning/perf-events.ts";
import { pinProcedures } from "./tuning/pins.ts";

/** Procedures of libvirt's remote program that svirt answers, by their numbers. All others are unknown to it. */
export const PROCEDURES: ReadonlyMap<number, Procedure> = new Map(
  [
    ...connectionProcedures,
    ...eventProcedures,
    ...nodeProcedures,
    ...nodeStatisticsProcedures,
    ...nodeDeviceProcedures,
    ...interfaceProcedures,
    ...listProcedures,
    ...factProcedures,
    ...moreFactProcedures,
    ...lifeProcedures,
    ...definitionProcedures,
    ...metadataProcedures,
    ...requestProcedures,
    ...peekProcedures,
    ...sleepProcedures,
    ...agentProcedures,
    ...deviceProcedures,
    ...sizeProcedures,
    ...balloonProcedures,
    ...limitProcedures,
    ...lifecycleActionProcedures,
    ...diskLimitProcedures,
    ...iothreadProcedures,
    ...numaProcedures,
    ...perfProcedures,
    ...pinProcedures,
    ...savingProcedures,
    ...jobProcedures,
    ...savedXmlProcedures,
    ...snapshotProcedures,
    ...snapshotListProcedures,
    ...blockJobProcedures,
    ...allDomainProcedures,
    ...oneDomainProcedures,
    ...guestProcedures,
    ...storedProcedures,
    ...networkProcedures,
    ...networkMetadataProcedures,
    ...networkPortProcedures,
    ...filterProcedures,
    ...leaseProcedures,
    ...poolProcedures,
    ...discoveryProcedures,
    ...volumeProcedures,
    ...contentProcedures,
    ...streamProcedures,
    ...secretProcedures,
  ].map((declared) => [declared.number, declared]),
);

/** Procedures of libvirt's program for QEMU that svirt answers, by their numbers. */
export const QEMU_PROCEDURES: ReadonlyMap<number, Procedure> = new Map(
  qemuCommandProcedures.map((declared) => [declared.number, declared]),
);
