import type { ApiUse } from "../../../access/uses.ts";
import { type Device, parseDevice } from "../../../domain/device.ts";
import type { Instance } from "../../../state/instance.ts";
import type { Ask } from "../../../vm/change/change-domain.ts";
import {
  attachDevice,
  detachDevice,
  detachDeviceAlias,
  updateDevice,
} from "../../../vm/hotplug/change-devices.ts";
import { struct, uint } from "../../xdr/form.ts";
import { AFFECTS, askOf, IMPACT_FLAGS } from "../impact.ts";
import { aboutDomain, domain, domainKeys, nothing, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** VIR_DOMAIN_DEVICE_MODIFY_FORCE of libvirt's libvirt-domain.h */
const FORCE = 4;

type Change = (instance: Instance, ask: Ask, device: Device) => Promise<unknown>;

/**
 * As in libvirt, a detach succeeds also if the guest keeps the device for now.
 * qemuDomainWaitForDeviceRemoval()
 */
const requestDetach: Change = (instance, ask, device) =>
  detachDevice(instance, { ...ask, isRequestEnough: true }, device);

/** Procedures changing the devices of a domain. */
export const deviceProcedures: readonly Procedure[] = [
  changingGuest(8, "virDomainAttachDevice", attachDevice),
  changing(160, "virDomainAttachDeviceFlags", attachDevice),
  changingGuest(13, "virDomainDetachDevice", requestDetach),
  changing(161, "virDomainDetachDeviceFlags", requestDetach),
  procedure({
    ...aboutDomain(392, "virDomainDetachDeviceAlias"),
    args: struct({ dom: domain, alias: text, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainDetachDeviceAliasLiveAndConfig" },
    result: nothing,
    async run(call) {
      const { alias, flags } = call.args;
      await detachDeviceAlias(call.instance, { ...askOf(call, flags), isRequestEnough: true }, alias);
      return {};
    },
  }),
  procedure({
    number: 174,
    api: "virDomainUpdateDeviceFlags",
    recovers: domainKeys,
    args: struct({ dom: domain, xml: text, flags: uint }),
    flags: { known: IMPACT_FLAGS | FORCE, refusedBy: "qemuDomainUpdateDeviceFlags" },
    result: nothing,
    async run(call) {
      const { flags, xml } = call.args;
      const to = { device: deviceIn(xml), force: (flags & FORCE) !== 0 };
      await updateDevice(call.instance, askOf(call, flags), to);
      return {};
    },
  }),
];

/** Declares a procedure with changes of the running guest only. qemuDomainAttachDevice() of libvirt */
function changingGuest(number: number, api: ApiUse, change: Change): Procedure {
  return procedure({
    number,
    api,
    recovers: domainKeys,
    args: struct({ dom: domain, xml: text }),
    result: nothing,
    async run(call) {
      await change(call.instance, askOf(call, AFFECTS.live), deviceIn(call.args.xml));
      return {};
    },
  });
}

/** Declares a procedure with changes of the running guest, the definition or both. */
function changing(number: number, api: ApiUse, change: Change): Procedure {
  return procedure({
    number,
    api,
    recovers: domainKeys,
    args: struct({ dom: domain, xml: text, flags: uint }),
    flags: {
      known: IMPACT_FLAGS,
      refusedBy: `${api.replace("vir", "qemu").replace("Flags", "")}LiveAndConfig`,
    },
    result: nothing,
    async run(call) {
      await change(call.instance, askOf(call, call.args.flags), deviceIn(call.args.xml));
      return {};
    },
  });
}

function deviceIn(xml: string): Device {
  return parseDevice(new TextEncoder().encode(xml));
}
