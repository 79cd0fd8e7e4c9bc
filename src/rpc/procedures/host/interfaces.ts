import type { Instance } from "../../../state/instance.ts";
import {
  getInterfaceXml,
  lookUpInterface,
  lookUpInterfaceByMac,
  selectInterfaces,
} from "../../../vm/interface/interfaces.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import { aNumber, aText, LIST_MAX, nothing, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** virConnectListAllInterfacesFlags of libvirt's libvirt-interface.h */
const [INACTIVE, ACTIVE] = [1, 2];
/** VIR_INTERFACE_XML_INACTIVE: an interface has no other form while it is inactive. */
const XML_INACTIVE = 1;

/** An interface. remote_nonnull_interface */
const iface = struct({ name: text, mac: text });
const names = struct({ names: array(text, LIST_MAX) });

/** Procedures about network interfaces of the host. */
export const interfaceProcedures: readonly Procedure[] = [
  ...(
    [
      {
        isActive: true,
        numbers: [126, 127],
        apis: ["virConnectNumOfInterfaces", "virConnectListInterfaces"],
      },
      {
        isActive: false,
        numbers: [137, 138],
        apis: ["virConnectNumOfDefinedInterfaces", "virConnectListDefinedInterfaces"],
      },
    ] as const
  ).flatMap(({ apis, isActive, numbers }) => [
    procedure({
      number: numbers[0],
      api: apis[0],
      args: nothing,
      result: aNumber,
      run: ({ instance }) => ({ value: namesOf(instance, isActive).length }),
    }),
    procedure({
      number: numbers[1],
      api: apis[1],
      args: struct({ most: int }),
      result: names,
      run: ({ args, instance }) => ({ names: namesOf(instance, isActive).slice(0, Math.max(0, args.most)) }),
    }),
  ]),
  procedure({
    number: 284,
    api: "virConnectListAllInterfaces",
    args: listAsked,
    flags: { known: INACTIVE | ACTIVE, refusedBy: "udevConnectListAllInterfaces" },
    result: listing(iface),
    run({ args, instance }) {
      const has = (flag: number): boolean => args.flags === 0 || (args.flags & flag) !== 0;
      const found = selectInterfaces(instance, { active: has(ACTIVE), inactive: has(INACTIVE) });
      return listOf(args, found);
    },
  }),
  procedure({
    number: 128,
    api: "virInterfaceLookupByName",
    args: struct({ name: text }),
    result: struct({ iface }),
    run: ({ args, instance }) => ({ iface: lookUpInterface(instance, args.name) }),
  }),
  procedure({
    number: 129,
    api: "virInterfaceLookupByMACString",
    args: struct({ mac: text }),
    result: struct({ iface }),
    run: ({ args, instance }) => ({ iface: lookUpInterfaceByMac(instance, args.mac) }),
  }),
  procedure({
    number: 130,
    api: "virInterfaceGetXMLDesc",
    args: struct({ iface, flags: uint }),
    flags: { known: XML_INACTIVE, refusedBy: "udevInterfaceGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({ value: getInterfaceXml(instance, args.iface.name) }),
  }),
  procedure({
    number: 156,
    api: "virInterfaceIsActive",
    args: struct({ iface }),
    result: aNumber,
    run: ({ args, instance }) => ({ value: lookUpInterface(instance, args.iface.name).isActive ? 1 : 0 }),
  }),
];

/** Returns the names of the interfaces up, or down. udevGetDevices() of libvirt */
function namesOf(instance: Instance, isActive: boolean): readonly string[] {
  const found = selectInterfaces(instance, { active: isActive, inactive: !isActive });
  return found.filter(({ isDown }) => isActive || isDown).map(({ name }) => name);
}
