import type { DeviceWatch } from "../../host/channels.ts";
import type { NodeDevice } from "../../report/node-devices/list.ts";
import type { Instance } from "../../state/instance.ts";

/** An event of a device of the host. */
export interface NodeDeviceEvent {
  readonly of: "nodedev";
  readonly name: string;
  /** Its name, too: devices have no UUIDs. */
  readonly uuid: string;
  readonly happened: "created" | "deleted" | "updated";
}

/**
 * Time after a message of the kernel until the devices are looked at: others follow it, and drivers complete
 * what they report.
 */
const SETTLED_MS = 100;

type Devices = ReadonlyMap<string, NodeDevice>;

/**
 * Follows the devices of the host by the kernel's messages. A message only causes a look at sysfs: none has
 * to be trusted, and a dropped message is not missed for long. Without messages nothing is done.
 */
export class NodeDeviceFollower {
  readonly #instance: Instance;
  readonly #watch: DeviceWatch;
  #seen: Devices;
  /** Changes without a look yet; undefined: none. */
  #pending: Set<string> | undefined;
  #isClosed = false;

  /**
   * `onEvent` is called when something may have happened. Throws "host-call"; "unsupported" if the kernel
   * reports no devices here.
   */
  constructor(instance: Instance, onEvent: () => void) {
    this.#instance = instance;
    this.#watch = instance.host.watchDevices();
    try {
      this.#seen = lookAt(instance);
    } catch (error) {
      this.#watch.close();
      throw error;
    }
    void this.#follow(onEvent);
  }

  /** Returns what happened since the last call. Never waits. */
  take(): readonly NodeDeviceEvent[] {
    const changed = this.#watch.take();
    if (changed !== undefined) this.#pending = new Set([...(this.#pending ?? []), ...changed]);
    if (this.#pending === undefined) return [];
    const [before, after] = [this.#seen, lookAt(this.#instance)];
    const events = compareNodeDevices(before, after, this.#pending);
    this.#seen = after;
    this.#pending = undefined;
    return events;
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
  }

  /** Repeats the call while messages are unread: its receiver may be busy. */
  async #follow(onEvent: () => void): Promise<void> {
    while (!this.#isClosed) {
      await this.#watch.wait();
      await this.#instance.host.sleep(SETTLED_MS);
      if (!this.#isClosed) onEvent();
    }
  }
}

function lookAt({ host }: Instance): Devices {
  // Loads the readers of sysfs, needless for most waiting clients.
  const {
    listNodeDevices,
  }: typeof import("../../report/node-devices/list.ts") = require("../../report/node-devices/list.ts");
  return new Map(listNodeDevices(host).map((device) => [device.name, device]));
}

/**
 * Returns the events between two looks. `changed`: folders in sysfs of devices of which the kernel reports a
 * change.
 */
function compareNodeDevices(
  before: Devices,
  after: Devices,
  changed: ReadonlySet<string>,
): readonly NodeDeviceEvent[] {
  const event = (name: string, happened: NodeDeviceEvent["happened"]): NodeDeviceEvent => ({
    of: "nodedev",
    name,
    uuid: name,
    happened,
  });
  const isSame = (one: NodeDevice, other: NodeDevice | undefined): boolean => one.path === other?.path;
  return [
    ...[...before.values()]
      .filter((one) => !isSame(one, after.get(one.name)))
      .map(({ name }) => event(name, "deleted")),
    ...[...after.values()].flatMap((one) => {
      if (!isSame(one, before.get(one.name))) return [event(one.name, "created")];
      return one.path !== undefined && changed.has(one.path) ? [event(one.name, "updated")] : [];
    }),
  ];
}
