import { uuidOf } from "../../domain/forms/uuid.ts";
import { recordsFolder } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";
import { POOL_NOTES, poolNotesFolder } from "../../state/pools/pool-notes.ts";
import { isWritten } from "../../state/record.ts";
import {
  domainNotesFolder,
  type KeptNotes,
  NOTES_ENDING,
  parseNotes,
} from "../../state/reports/domain-notes.ts";
import { type KeptReports, parseReports } from "../../state/reports/guest-reports.ts";
import { REPORTS_ENDING, reportsFolder } from "../../state/reports/report-files.ts";
import { VALUE_ENDING } from "../../state/secrets.ts";
import { readReason } from "../../state/shutoff-reason.ts";
import { ENDING, storedUuid } from "../../state/xml-files.ts";
import {
  compareDomains,
  type DomainEvent,
  type DomainsSeen,
  type EndReason,
  type GuestFacts,
  guestsIn,
  parseGuestFacts,
} from "./domain-events.ts";
import { compareGuests, type GuestEvent, type GuestsSeen } from "./guest-events.ts";
import { GuestFeeds } from "./guest-feeds.ts";
import { type NodeDeviceEvent, NodeDeviceFollower } from "./node-device-events.ts";
import { compareNotes } from "./note-events.ts";
import { type SeenFiles, scanFolder } from "./scan-folder.ts";
import { compareSecrets, parseSecretFacts, type SecretEvent, type SecretsSeen } from "./secret-events.ts";
import { compareStored, type NetworkEvent, type PoolEvent, type StoredSeen } from "./stored-events.ts";
import { WakeUp } from "./wake-up.ts";

/**
 * Something that happened to a domain, its running guest, a network, a pool, a secret or a device of the
 * host.
 */
export type HappenedEvent =
  | DomainEvent
  | GuestEvent
  | NetworkEvent
  | PoolEvent
  | SecretEvent
  | NodeDeviceEvent;

/** Watch over all domains, networks, pools and secrets of an instance. */
export interface EventWatch {
  /**
   * Returns once reports of guests that run now are heard, or after a quarter of a second: the next work may
   * cause some.
   */
  begun(): Promise<void>;
  /**
   * Watches the devices of the host too, or no more. Throws "host-call"; "unsupported" if the kernel reports
   * none here.
   */
  followDevices(isWanted: boolean): void;
  /**
   * Returns the events since the last call, by any process. Never waits. If a look fails, wait() ends a
   * second later for the next look, and no event is lost: throws its error, such as "host-call", unless the
   * other look has found events.
   */
  take(): readonly HappenedEvent[];
  /** Returns once something may have happened, or after close(). */
  wait(): Promise<void>;
  /** Returns once the events of guests that this process has received are written for other processes. */
  close(): Promise<void>;
}

/** Folder of svirt's run-time files: the users of guests must pass it. */
const RUN_MODE = 0o711;
const FOLDER_MODE = 0o700;
const REASONS: readonly string[] = ["shutdown", "destroyed", "crashed", "saved"] satisfies EndReason[];

/**
 * Watches the files of an instance. Events are the differences of two looks at them, so none is lost if the
 * kernel drops reports. Missing folders are made as their writers make them. Throws "host-call", "no-access".
 */
export function watchEvents(instance: Instance): EventWatch {
  const folders = foldersOf(instance);
  makeMissing(instance, folders);
  const watch = instance.host.watchFolders(Object.values(folders));
  const feeds = new GuestFeeds(instance);
  try {
    let seen = look(instance, folders, NOTHING);
    feeds.follow(seen.domains.guests);
    // After a failed look, the next is not left out.
    let isBehind = false;
    let devices: NodeDeviceFollower | undefined;
    const wakeUp = new WakeUp(async (ms) => await instance.host.sleep(ms));
    const followDevices = (isWanted: boolean): void => {
      if (isWanted) devices ??= new NodeDeviceFollower(instance, wakeUp.now);
      else {
        devices?.close();
        devices = undefined;
      }
    };
    const takeOfFiles = (): readonly HappenedEvent[] => {
      if (!watch.take() && !isBehind) return [];
      isBehind = true;
      const now = look(instance, folders, seen);
      const events = compare(instance, seen, now);
      feeds.follow(now.domains.guests);
      seen = now;
      isBehind = false;
      return events;
    };
    return {
      followDevices,
      take() {
        wakeUp.reset();
        const { events, failures } = takeAll([() => devices?.take() ?? [], takeOfFiles]);
        if (failures.length === 0) return events;
        wakeUp.later();
        if (events.length === 0) throw failures[0];
        return events;
      },
      begun: async () => await feeds.begun(),
      wait: async () => await Promise.race([watch.wait(), wakeUp.wait()]),
      async close() {
        followDevices(false);
        const closed = feeds.close();
        watch.close();
        await closed;
      },
    };
  } catch (error) {
    void feeds.close();
    watch.close();
    throw error;
  }
}

/** Does all looks, also after a failure. */
function takeAll(looks: readonly (() => readonly HappenedEvent[])[]) {
  const found: (readonly HappenedEvent[])[] = [];
  const failures: unknown[] = [];
  for (const one of looks) {
    try {
      found.push(one());
    } catch (error) {
      failures.push(error);
    }
  }
  return { events: found.flat(), failures };
}

/** State of all objects at a moment. */
interface Seen {
  readonly domains: DomainsSeen;
  readonly records: SeenFiles<GuestFacts>;
  readonly networks: StoredSeen;
  readonly pools: StoredSeen;
  /** Names of pools by UUID and note. */
  readonly notes: SeenFiles<string>;
  /** Reports of QEMUs by their guests' UUIDs. */
  readonly reports: SeenFiles<KeptReports>;
  /** Notes about domains by their UUIDs. */
  readonly domainNotes: SeenFiles<KeptNotes>;
  readonly secrets: SecretsSeen;
}

const NO_FILES: SeenFiles<never> = new Map();
const NOTHING: Seen = {
  domains: { definitions: NO_FILES, guests: new Map() },
  records: NO_FILES,
  networks: { defined: NO_FILES, active: NO_FILES },
  pools: { defined: NO_FILES, active: NO_FILES },
  notes: NO_FILES,
  reports: NO_FILES,
  domainNotes: NO_FILES,
  secrets: { disk: NO_FILES, memory: NO_FILES, diskValues: NO_FILES, memoryValues: NO_FILES },
};

type Folders = ReturnType<typeof foldersOf>;

function foldersOf({ paths }: Instance) {
  return {
    domains: `${paths.config}/domains`,
    records: recordsFolder(paths),
    networks: `${paths.config}/networks`,
    activeNetworks: `${paths.run}/networks`,
    pools: `${paths.config}/storage`,
    activePools: `${paths.run}/storage`,
    notes: poolNotesFolder({ paths }),
    reports: reportsFolder({ paths }),
    domainNotes: domainNotesFolder({ paths }),
    secrets: `${paths.config}/secrets`,
    secretsInMemory: `${paths.run}/secrets`,
  };
}

function makeMissing({ host, paths }: Instance, folders: Folders): void {
  const make = (path: string, mode: number): void => {
    // In a read-only file system, no other svirt makes it either.
    if (host.inspectFile(path) === undefined) isWritten(() => host.makeFolder({ path, mode }));
  };
  make(paths.run, RUN_MODE);
  for (const path of Object.values(folders)) make(path, FOLDER_MODE);
}

function look(instance: Instance, folders: Folders, before: Seen): Seen {
  const xml = (folder: string, known: SeenFiles<string>): SeenFiles<string> =>
    scanFolder(instance, { folder, ending: ENDING, parse: storedUuid }, known);
  const records = scanFolder(
    instance,
    { folder: folders.records, ending: ".json", parse: parseGuestFacts },
    before.records,
  );
  return {
    records,
    domains: {
      definitions: xml(folders.domains, before.domains.definitions),
      guests: guestsIn(records, before.domains.guests, {
        bootId: instance.host.getBootId(),
        hasProcess: (process) => instance.host.hasProcess(process),
      }),
    },
    networks: {
      defined: xml(folders.networks, before.networks.defined),
      active: xml(folders.activeNetworks, before.networks.active),
    },
    pools: {
      defined: xml(folders.pools, before.pools.defined),
      active: xml(folders.activePools, before.pools.active),
    },
    notes: scanFolder(
      instance,
      { folder: folders.notes, ending: "", parse: (name) => name.trim() },
      before.notes,
    ),
    reports: scanFolder(
      instance,
      { folder: folders.reports, ending: REPORTS_ENDING, parse: parseReports },
      before.reports,
    ),
    domainNotes: scanFolder(
      instance,
      { folder: folders.domainNotes, ending: NOTES_ENDING, parse: parseNotes },
      before.domainNotes,
    ),
    secrets: lookAtSecrets(instance, folders, before.secrets),
  };
}

function lookAtSecrets(instance: Instance, folders: Folders, before: SecretsSeen): SecretsSeen {
  // As listSecretUuids() lists them.
  const isOwn = (name: string): boolean => uuidOf(name) === name;
  const definitions = (folder: string, known: SecretsSeen["disk"]): SecretsSeen["disk"] =>
    scanFolder(instance, { folder, ending: ENDING, parse: parseSecretFacts, isOwn }, known);
  const values = (folder: string, known: SecretsSeen["diskValues"]): SecretsSeen["diskValues"] =>
    scanFolder(
      instance,
      { folder, ending: VALUE_ENDING, parse: () => true as const, isUnread: true, isOwn },
      known,
    );
  return {
    disk: definitions(folders.secrets, before.disk),
    memory: definitions(folders.secretsInMemory, before.memory),
    diskValues: values(folders.secrets, before.diskValues),
    memoryValues: values(folders.secretsInMemory, before.memoryValues),
  };
}

function compare(instance: Instance, before: Seen, after: Seen): readonly HappenedEvent[] {
  const reasonOf = (uuid: string): EndReason => {
    // The reason has a file of its own once the guest is cleaned up; it may be about a later failed start.
    const { reason, state } = after.records.get(uuid)?.value ?? {};
    return endReason(state === "stopping" ? reason : readReason(instance, uuid));
  };
  return [
    ...compareStored(before.networks, after.networks).map((event) => ({ of: "network" as const, ...event })),
    ...compareStored(before.pools, after.pools).map((event) => ({ of: "pool" as const, ...event })),
    ...newNotes(before.notes, after.notes),
    ...compareSecrets(before.secrets, after.secrets),
    ...compareNotes(before.domainNotes, after.domainNotes),
    ...compareGuests(guestsOf(before), guestsOf(after)),
    ...compareDomains(before.domains, after.domains, reasonOf),
  ];
}

function guestsOf({ domains: { guests }, reports }: Seen): GuestsSeen {
  return { guests, reports };
}

function endReason(text: string | undefined): EndReason {
  const isReason = (value: string | undefined): value is EndReason => REASONS.includes(value ?? "");
  return isReason(text) ? text : "unknown";
}

function newNotes(before: SeenFiles<string>, after: SeenFiles<string>): readonly PoolEvent[] {
  return [...after].flatMap(([file, { mark, value: name }]) => {
    const happened = POOL_NOTES.find((note) => file.endsWith(`.${note}`));
    if (happened === undefined || before.get(file)?.mark === mark) return [];
    return [{ of: "pool", name, uuid: file.slice(0, -happened.length - 1), happened }];
  });
}
