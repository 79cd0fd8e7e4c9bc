import { NO_OBSERVER } from "../../../run/steps/run-plan.ts";
import { destroyDomain } from "../../../vm/end/destroy.ts";
import { lookUpDomain } from "../../../vm/guest/find-domain.ts";
import { rebootGuest, resumeGuest, shutdownGuest, suspendGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { startNamed } from "../../../vm/save/restore-domain.ts";
import { startDomain } from "../../../vm/start/start.ts";
import { struct, uint, type ValueOf } from "../../xdr/form.ts";
import {
  aDomain,
  changesDomain,
  keyOf,
  nothing,
  ofDomain,
  ofDomainWithFlags,
  remoteDomain,
  text,
} from "../objects.ts";
import { notValid, type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** VIR_DOMAIN_START_FORCE_BOOT of libvirt's libvirt-domain.h */
const FORCE_BOOT = 8;
/** VIR_DOMAIN_START_VALIDATE. svirt refuses what libvirt's schema does not allow in any case. */
const VALIDATE = 16;
/** VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN and VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, the way in which svirt asks a guest. */
const ACPI_POWER_BUTTON = 1;

type DomainCall = RemoteCall<ValueOf<typeof ofDomain>>;

/** Procedures that start, end or pause a domain. */
export const lifeProcedures: readonly Procedure[] = [
  procedure({
    ...changesDomain(9, "virDomainCreate"),
    args: ofDomain,
    result: nothing,
    async run(call) {
      await start(call, false);
      return {};
    },
  }),
  procedure({
    ...changesDomain(196, "virDomainCreateWithFlags"),
    args: ofDomainWithFlags,
    flags: { known: FORCE_BOOT, refusedBy: "qemuDomainCreateWithFlags" },
    result: aDomain,
    async run(call) {
      const key = await start(call, (call.args.flags & FORCE_BOOT) !== 0);
      return { dom: remoteDomain(lookUpDomain(call.instance, "uuid", key)) };
    },
  }),
  procedure({
    number: 10,
    api: "virDomainCreateXML",
    access: "changes",
    args: struct({ xml: text, flags: uint }),
    flags: { known: VALIDATE, refusedBy: "qemuDomainCreateXML" },
    result: aDomain,
    recovers: () => [],
    async run({ args, instance }) {
      const { did, guest } = await startDomain(instance, new TextEncoder().encode(args.xml));
      // virDomainObjListAddLocked() of libvirt
      if (!did) throw notValid(`domain '${guest.name}' is already active`, "DOMAIN");
      return { dom: remoteDomain(guest) };
    },
  }),
  procedure({
    ...changesDomain(12, "virDomainDestroy"),
    // The command ends the guest with its changes.
    recovers: () => [],
    args: ofDomain,
    result: nothing,
    run: async (call) => await destroy(call),
  }),
  procedure({
    ...changesDomain(234, "virDomainDestroyFlags"),
    recovers: () => [],
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainDestroyFlags" },
    result: nothing,
    run: async (call) => await destroy(call),
  }),
  procedure({
    ...changesDomain(33, "virDomainShutdown"),
    args: ofDomain,
    result: nothing,
    run: async (call) => await shutDown(call),
  }),
  procedure({
    ...changesDomain(258, "virDomainShutdownFlags"),
    args: ofDomainWithFlags,
    flags: { known: ACPI_POWER_BUTTON, refusedBy: "qemuDomainShutdownFlags" },
    result: nothing,
    run: async (call) => await shutDown(call),
  }),
  procedure({
    ...changesDomain(27, "virDomainReboot"),
    args: ofDomainWithFlags,
    flags: { known: ACPI_POWER_BUTTON, refusedBy: "qemuDomainReboot" },
    result: nothing,
    async run(call) {
      await rebootGuest(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    ...changesDomain(34, "virDomainSuspend"),
    args: ofDomain,
    result: nothing,
    async run(call) {
      await suspendGuest(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    ...changesDomain(28, "virDomainResume"),
    args: ofDomain,
    result: nothing,
    async run(call) {
      const { did } = await resumeGuest(call.instance, keyOf(call));
      // qemuDomainResume() of libvirt
      if (!did) throw notValid("domain is already running");
      return {};
    },
  }),
];

/** Starts a defined domain, and returns its UUID. qemuDomainCreateWithFlags() of libvirt */
async function start(call: DomainCall, forceBoot: boolean): Promise<string> {
  const key = keyOf(call);
  const { did } = await startNamed(call.instance, key, { forceBoot, observer: NO_OBSERVER });
  if (!did) throw notValid("domain is already running");
  return key;
}

/** qemuDomainDestroyFlags() of libvirt, which calls virDomainObjCheckActive() */
async function destroy(call: DomainCall): Promise<Record<never, never>> {
  const { did } = await destroyDomain(call.instance, keyOf(call));
  if (!did) throw notValid("domain is not running", "DOMAIN");
  return {};
}

/** qemuDomainShutdownFlagsMonitor() of libvirt */
async function shutDown(call: DomainCall): Promise<Record<never, never>> {
  const { did } = await shutdownGuest(call.instance, keyOf(call));
  if (!did) throw notValid("domain is not running");
  return {};
}
