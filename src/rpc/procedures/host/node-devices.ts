import { detachDevice, reattachDevice, resetDevice } from "../../../vm/node-device/detach.ts";
import {
  CAPABILITY_NAMES,
  getDeviceXml,
  isPersistent,
  listDeviceCapabilities,
  listDevices,
  lookUpDevice,
} from "../../../vm/node-device/node-devices.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import { aNumber, aText, maybeText, nothing, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** REMOTE_NODE_DEVICE_LIST_MAX and REMOTE_NODE_DEVICE_CAPS_LIST_MAX of libvirt's remote_protocol.x */
const [MOST_DEVICES, MOST_CAPABILITIES] = [65_536, 65_536];
/**
 * Bits of a filter: a capability each, in the order of their numbers. virConnectListAllNodeDeviceFlags of
 * libvirt
 */
const CAPABILITY_FLAGS = 2 ** CAPABILITY_NAMES.length - 1;
/**
 * VIR_CONNECT_LIST_NODE_DEVICES_PERSISTENT, _TRANSIENT, _INACTIVE and _ACTIVE. A listed device is active:
 * only mediated devices may be otherwise.
 */
const FILTERS = { persistent: 2 ** 28, transient: 2 ** 29, inactive: 2 ** 30, active: 2 ** 31 };
const FILTER_FLAGS = Object.values(FILTERS).reduce((sum, bit) => sum + bit);
/** VIR_NODE_DEVICE_XML_INACTIVE */
const XML_INACTIVE = 1;

/** A device of the host. remote_nonnull_node_device */
const device = struct({ name: text });
const ofDevice = struct({ name: text });

/** Procedures about devices of the host. */
export const nodeDeviceProcedures: readonly Procedure[] = [
  procedure({
    number: 111,
    api: "virNodeNumOfDevices",
    args: struct({ capability: maybeText, flags: uint }),
    flags: { known: 0, refusedBy: "nodeNumOfDevices" },
    result: aNumber,
    run: ({ args, instance }) => ({ value: listDevices(instance, wanted(args.capability)).length }),
  }),
  procedure({
    number: 112,
    api: "virNodeListDevices",
    args: struct({ capability: maybeText, most: int, flags: uint }),
    flags: { known: 0, refusedBy: "nodeListDevices" },
    result: struct({ names: array(text, MOST_DEVICES) }),
    run({ args, instance }) {
      const names = listDevices(instance, wanted(args.capability)).map(({ name }) => name);
      return { names: names.slice(0, Math.max(0, args.most)) };
    },
  }),
  procedure({
    number: 285,
    api: "virConnectListAllNodeDevices",
    args: listAsked,
    flags: { known: CAPABILITY_FLAGS + FILTER_FLAGS, refusedBy: "nodeConnectListAllNodeDevices" },
    result: listing(device, MOST_DEVICES),
    run({ args, instance }) {
      const bits = args.flags & CAPABILITY_FLAGS;
      const names = CAPABILITY_NAMES.filter((_, at) => (bits & (1 << at)) !== 0);
      const has = (bit: number): boolean => (args.flags & bit) !== 0;
      const { active, inactive, persistent, transient } = FILTERS;
      if (has(inactive) && !has(active)) return listOf(args, []);
      const found = listDevices(instance, bits === 0 ? undefined : new Set(names));
      const isAny = has(persistent) === has(transient);
      return listOf(
        args,
        found.filter((one) => isAny || isPersistent(one) === has(persistent)),
      );
    },
  }),
  procedure({
    number: 113,
    api: "virNodeDeviceLookupByName",
    args: ofDevice,
    result: struct({ device }),
    run: ({ args, instance }) => ({ device: lookUpDevice(instance, args.name) }),
  }),
  procedure({
    number: 114,
    api: "virNodeDeviceGetXMLDesc",
    args: struct({ name: text, flags: uint }),
    flags: { known: XML_INACTIVE, refusedBy: "nodeDeviceGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({ value: getDeviceXml(instance, args.name) }),
  }),
  procedure({
    number: 115,
    api: "virNodeDeviceGetParent",
    args: ofDevice,
    result: struct({ parent: maybeText }),
    run: ({ args, instance }) => ({ parent: lookUpDevice(instance, args.name).parent }),
  }),
  procedure({
    number: 116,
    api: "virNodeDeviceNumOfCaps",
    args: ofDevice,
    result: aNumber,
    run: ({ args, instance }) => ({ value: listDeviceCapabilities(instance, args.name).length }),
  }),
  procedure({
    number: 117,
    api: "virNodeDeviceListCaps",
    args: struct({ name: text, most: int }),
    result: struct({ names: array(text, MOST_CAPABILITIES) }),
    run: ({ args, instance }) => ({
      names: listDeviceCapabilities(instance, args.name).slice(0, Math.max(0, args.most)),
    }),
  }),
  ...(
    [
      [433, "virNodeDeviceGetAutostart", isPersistent],
      [435, "virNodeDeviceIsPersistent", isPersistent],
      [436, "virNodeDeviceIsActive", () => true],
    ] as const
  ).map(([number, api, holds]) =>
    procedure({
      number,
      api,
      args: ofDevice,
      result: aNumber,
      run: ({ args, instance }) => ({ value: holds(lookUpDevice(instance, args.name)) ? 1 : 0 }),
    }),
  ),
  ...(
    [
      [118, "virNodeDeviceDettach", detachDevice],
      [119, "virNodeDeviceReAttach", reattachDevice],
      [120, "virNodeDeviceReset", resetDevice],
    ] as const
  ).map(([number, api, change]) =>
    procedure({
      number,
      api,
      args: ofDevice,
      result: nothing,
      recovers: () => "all",
      async run({ args, instance }) {
        await change(instance, args.name);
        return {};
      },
    }),
  ),
  procedure({
    number: 301,
    api: "virNodeDeviceDetachFlags",
    args: struct({ name: text, driver: maybeText, flags: uint }),
    flags: { known: 0, refusedBy: "qemuNodeDeviceDetachFlags" },
    result: nothing,
    recovers: () => "all",
    async run({ args, instance }) {
      await detachDevice(instance, args.name, args.driver);
      return {};
    },
  }),
];

function wanted(capability: string | undefined): ReadonlySet<string> | undefined {
  return capability === undefined ? undefined : new Set([capability]);
}
