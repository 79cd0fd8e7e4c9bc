import { SvirtError } from "../../../errors.ts";
import { managedSavePath } from "../../../state/managed-save.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
import { restoreDomain } from "../../../vm/save/restore-domain.ts";
import { discardManagedSave, managedSaveDomain, saveDomain } from "../../../vm/save/save-domain.ts";
import { readSaveImage } from "../../../vm/save/save-image.ts";
import { array, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { typedParameter } from "../../xdr/typed-parameter.ts";
import { onlyOneOf } from "../impact.ts";
import {
  aText,
  changes,
  domain,
  keyOf,
  maybeText,
  nothing,
  ofDomain,
  ofDomainWithFlags,
  text,
} from "../objects.ts";
import { invalidArgument, notValid, type Procedure, procedure } from "../procedure.ts";

/** virDomainSaveRestoreFlags of libvirt's libvirt-domain.h */
const SAVE = { running: 2, paused: 4 };
const SAVE_FLAGS = SAVE.running | SAVE.paused;
/** VIR_DOMAIN_SAVE_IMAGE_XML_SECURE. The XML has no secrets that it would show: svirt refuses passwords. */
const SECURE = 1;
/** virDomainGetJobStatsFlags of libvirt's libvirt-domain.h */
const JOB_FLAGS = 3;
/** VIR_DOMAIN_JOB_NONE of virDomainJobType */
const NO_JOB = 0;
/** REMOTE_DOMAIN_JOB_STATS_MAX of libvirt's remote_protocol.x */
const MOST_JOB_STATS = 64;
/** Fields of virDomainJobInfo after its type. */
const JOB_NUMBERS = [
  ...(["timeElapsed", "timeRemaining", "dataTotal", "dataProcessed", "dataRemaining"] as const),
  ...(["memTotal", "memProcessed", "memRemaining", "fileTotal", "fileProcessed", "fileRemaining"] as const),
];

/** Procedures that save and restore the state of a domain, and those about the job that does it. */
export const savingProcedures: readonly Procedure[] = [
  procedure({
    ...changes(55, "virDomainSave"),
    args: struct({ dom: domain, path: text }),
    result: nothing,
    async run(call) {
      await saveDomain(call.instance, keyOf(call), { path: absolute(call.args.path), resumes: undefined });
      return {};
    },
  }),
  procedure({
    ...changes(232, "virDomainSaveFlags"),
    args: struct({ dom: domain, path: text, xml: maybeText, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainSaveFlags" },
    result: nothing,
    async run(call) {
      const { flags, path, xml } = call.args;
      if (xml !== undefined) throw withoutXml();
      await saveDomain(call.instance, keyOf(call), { path: absolute(path), resumes: resumesOf(flags) });
      return {};
    },
  }),
  procedure({
    number: 54,
    api: "virDomainRestore",
    access: "changes",
    recovers: () => [],
    args: struct({ path: text }),
    result: nothing,
    async run({ args, instance }) {
      await restoreDomain(instance, absolute(args.path), { resumes: undefined, xml: undefined });
      return {};
    },
  }),
  procedure({
    number: 233,
    api: "virDomainRestoreFlags",
    access: "changes",
    recovers: () => [],
    args: struct({ path: text, xml: maybeText, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainRestoreFlags" },
    result: nothing,
    async run({ args, instance }) {
      const xml = args.xml === undefined ? undefined : new TextEncoder().encode(args.xml);
      await restoreDomain(instance, absolute(args.path), { resumes: resumesOf(args.flags), xml });
      return {};
    },
  }),
  procedure({
    ...changes(182, "virDomainManagedSave"),
    args: ofDomainWithFlags,
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainManagedSave" },
    result: nothing,
    async run(call) {
      await managedSaveDomain(call.instance, keyOf(call), { resumes: resumesOf(call.args.flags) });
      return {};
    },
  }),
  procedure({
    ...changes(184, "virDomainManagedSaveRemove"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainManagedSaveRemove" },
    result: nothing,
    run(call) {
      const { did, name } = discardManagedSave(call.instance, keyOf(call));
      if (!did) throw withoutSave(managedSavePath(call.instance, name));
      return {};
    },
  }),
  procedure({
    number: 235,
    api: "virDomainSaveImageGetXMLDesc",
    // It reads a file that the client names: CVE-2019-10161 of libvirt.
    access: "changes",
    args: struct({ path: text, flags: uint }),
    flags: { known: SECURE, refusedBy: "qemuDomainSaveImageGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({ value: readSaveImage(instance, absolute(args.path)).xml }),
  }),
  procedure({
    number: 163,
    api: "virDomainGetJobInfo",
    access: "reads",
    args: ofDomain,
    result: struct({
      type: int,
      ...(Object.fromEntries(JOB_NUMBERS.map((name) => [name, uhyper])) as Record<
        (typeof JOB_NUMBERS)[number],
        typeof uhyper
      >),
    }),
    run(call) {
      findRunning(call.instance, keyOf(call));
      const zeros = Object.fromEntries(JOB_NUMBERS.map((name) => [name, 0n]));
      return { type: NO_JOB, ...(zeros as Record<(typeof JOB_NUMBERS)[number], bigint>) };
    },
  }),
  procedure({
    number: 298,
    api: "virDomainGetJobStats",
    access: "reads",
    args: ofDomainWithFlags,
    flags: { known: JOB_FLAGS, refusedBy: "qemuDomainGetJobStats" },
    result: struct({ type: int, params: array(typedParameter, MOST_JOB_STATS) }),
    run(call) {
      // Without the flags it is about a job of the running guest.
      if (call.args.flags === 0) findRunning(call.instance, keyOf(call));
      else keyOf(call);
      return { type: NO_JOB, params: [] };
    },
  }),
  procedure({
    number: 164,
    api: "virDomainAbortJob",
    access: "changes",
    args: ofDomain,
    result: nothing,
    run(call) {
      findRunning(call.instance, keyOf(call));
      // qemuDomainAbortJobFlags() of libvirt
      throw notValid("no job is active on the domain");
    },
  }),
];

function resumesOf(flags: number): boolean | undefined {
  const asked = onlyOneOf(
    flags,
    [SAVE.running, "VIR_DOMAIN_SAVE_RUNNING"],
    [SAVE.paused, "VIR_DOMAIN_SAVE_PAUSED"],
  );
  return asked === undefined ? undefined : asked === "first";
}

/** Returns a path of the node. libvirt's clients make theirs absolute. */
export function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw invalidArgument(
    `the path of a saved domain is not absolute: ${path}`,
    "Name a file of the node by its absolute path.",
  );
}

function withoutXml(): SvirtError {
  return new SvirtError("argument unsupported: svirt saves a domain with its own XML only", {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Give the other XML when the domain is restored: virsh restore FILE --xml XML",
  });
}

/** qemuDomainManagedSaveRemove() of libvirt */
function withoutSave(path: string): SvirtError {
  return new SvirtError(`Failed to remove managed save file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Check whether the domain has one: virsh dominfo DOMAIN",
  });
}
