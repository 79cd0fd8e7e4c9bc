import { destroyDomain } from "../../../vm/end/destroy.ts";
import { lookUpDomain } from "../../../vm/guest/find-domain.ts";
import { resumeGuest, suspendGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { type AskingWays, rebootGuest, shutdownGuest } from "../../../vm/lifecycle/power-off.ts";
import { startNamed } from "../../../vm/save/restore-domain.ts";
import { startDomain } from "../../../vm/start/start.ts";
import { struct, uint, type ValueOf } from "../../xdr/form.ts";
import {
  aboutDomain,
  aDomain,
  keyOf,
  nothing,
  ofDomain,
  ofDomainWithFlags,
  remoteDomain,
  text,
} from "../objects.ts";
import { notValid, type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/**
 * virDomainCreateFlags of libvirt's libvirt-domain.h. svirt refuses what libvirt's schema does not allow in
 * any case.
 */
const START = { paused: 1, forceBoot: 8, validates: 16 };
/** virDomainShutdownFlagValues and virDomainRebootFlagValues: svirt's ways of asking a guest. */
const ASK = { acpi: 1, agent: 2 };
/** VIR_DOMAIN_DESTROY_GRACEFUL */
const GRACEFUL = 1;

type DomainCall = RemoteCall<ValueOf<typeof ofDomain>>;

/** Procedures for a domain's start, end or pause. */
export const lifeProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(9, "virDomainCreate"),
    args: ofDomain,
    result: nothing,
    async run(call) {
      await start(call, 0);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(196, "virDomainCreateWithFlags"),
    args: ofDomainWithFlags,
    flags: { known: START.paused | START.forceBoot, refusedBy: "qemuDomainCreateWithFlags" },
    result: aDomain,
    async run(call) {
      const key = await start(call, call.args.flags);
      return { dom: remoteDomain(lookUpDomain(call.instance, "uuid", key)) };
    },
  }),
  procedure({
    number: 10,
    api: "virDomainCreateXML",
    args: struct({ xml: text, flags: uint }),
    flags: { known: START.paused | START.validates, refusedBy: "qemuDomainCreateXML" },
    result: aDomain,
    recovers: () => [],
    async run({ args, instance }) {
      const { did, guest } = await startDomain(instance, new TextEncoder().encode(args.xml), {
        isPaused: (args.flags & START.paused) !== 0,
      });
      // virDomainObjListAddLocked() of libvirt
      if (!did) throw notValid(`domain '${guest.name}' is already active`, "DOMAIN");
      return { dom: remoteDomain(guest) };
    },
  }),
  procedure({
    ...aboutDomain(12, "virDomainDestroy"),
    // The command ends the guest with its changes.
    recovers: () => [],
    args: ofDomain,
    result: nothing,
    run: async (call) => await destroy(call),
  }),
  procedure({
    ...aboutDomain(234, "virDomainDestroyFlags"),
    recovers: () => [],
    args: ofDomainWithFlags,
    flags: { known: GRACEFUL, refusedBy: "qemuDomainDestroyFlags" },
    result: nothing,
    run: async (call) => await destroy(call, (call.args.flags & GRACEFUL) !== 0),
  }),
  procedure({
    ...aboutDomain(33, "virDomainShutdown"),
    args: ofDomain,
    result: nothing,
    run: async (call) => await shutDown(call),
  }),
  procedure({
    ...aboutDomain(258, "virDomainShutdownFlags"),
    args: ofDomainWithFlags,
    flags: { known: ASK.acpi | ASK.agent, refusedBy: "qemuDomainShutdownFlags" },
    result: nothing,
    run: async (call) => await shutDown(call, call.args.flags),
  }),
  procedure({
    ...aboutDomain(27, "virDomainReboot"),
    args: ofDomainWithFlags,
    flags: { known: ASK.acpi | ASK.agent, refusedBy: "qemuDomainReboot" },
    result: nothing,
    async run(call) {
      await rebootGuest(call.instance, keyOf(call), waysOf(call.args.flags));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(34, "virDomainSuspend"),
    args: ofDomain,
    result: nothing,
    async run(call) {
      await suspendGuest(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(28, "virDomainResume"),
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
async function start(call: DomainCall, flags: number): Promise<string> {
  const key = keyOf(call);
  const { did } = await startNamed(call.instance, key, {
    forceBoot: (flags & START.forceBoot) !== 0,
    isPaused: (flags & START.paused) !== 0,
  });
  if (!did) throw notValid("domain is already running");
  return key;
}

/** qemuDomainDestroyFlags() of libvirt, with its virDomainObjCheckActive() */
async function destroy(call: DomainCall, isGraceful = false): Promise<Record<never, never>> {
  const { did } = await destroyDomain(call.instance, keyOf(call), { isGraceful });
  if (!did) throw notValid("domain is not running", "DOMAIN");
  return {};
}

/** qemuDomainShutdownFlagsMonitor() of libvirt */
async function shutDown(call: DomainCall, flags = 0): Promise<Record<never, never>> {
  const { did } = await shutdownGuest(call.instance, keyOf(call), waysOf(flags));
  if (!did) throw notValid("domain is not running");
  return {};
}

/** Returns the ways in which a guest is asked, by default its power button alone. */
function waysOf(flags: number): AskingWays {
  const byAgent = (flags & ASK.agent) !== 0;
  return { byAgent, byButton: !byAgent || (flags & ASK.acpi) !== 0 };
}
