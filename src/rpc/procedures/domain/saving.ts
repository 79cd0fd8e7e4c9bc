import { SvirtError } from "../../../errors.ts";
import { managedSavePath } from "../../../state/managed-save.ts";
import { carryOut } from "../../../vm/object-change/carry-out.ts";
import { restoreDomain } from "../../../vm/save/restore-domain.ts";
import { managedSaveDomain, managedSaveRemoval, saveDomain } from "../../../vm/save/save-domain.ts";
import { getSavedXml } from "../../../vm/save/save-image.ts";
import { struct, uint } from "../../xdr/form.ts";
import { onlyOneOf } from "../impact.ts";
import {
  aboutDomain,
  aText,
  domain,
  keyOf,
  maybeText,
  nothing,
  ofDomainWithFlags,
  text,
} from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** virDomainSaveRestoreFlags of libvirt's libvirt-domain.h */
const SAVE = { running: 2, paused: 4 };
export const SAVE_FLAGS: number = SAVE.running | SAVE.paused;
/** VIR_DOMAIN_SAVE_IMAGE_XML_SECURE */
export const SECURE = 1;

/** Procedures saving and restoring the state of a domain. */
export const savingProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(55, "virDomainSave"),
    args: struct({ dom: domain, path: text }),
    result: nothing,
    async run(call) {
      await saveDomain(call.instance, keyOf(call), { path: absolute(call.args.path), resumes: undefined });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(232, "virDomainSaveFlags"),
    args: struct({ dom: domain, path: text, xml: maybeText, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainSaveFlags" },
    result: nothing,
    async run(call) {
      const { flags, path, xml } = call.args;
      await saveDomain(call.instance, keyOf(call), {
        path: absolute(path),
        resumes: resumesOf(flags),
        xml: bytesOf(xml),
      });
      return {};
    },
  }),
  procedure({
    number: 54,
    api: "virDomainRestore",
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
    recovers: () => [],
    args: struct({ path: text, xml: maybeText, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainRestoreInternal" },
    result: nothing,
    async run({ args, instance }) {
      const xml = bytesOf(args.xml);
      await restoreDomain(instance, absolute(args.path), { resumes: resumesOf(args.flags), xml });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(182, "virDomainManagedSave"),
    args: ofDomainWithFlags,
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainManagedSave" },
    result: nothing,
    async run(call) {
      await managedSaveDomain(call.instance, keyOf(call), { resumes: resumesOf(call.args.flags) });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(184, "virDomainManagedSaveRemove"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainManagedSaveRemove" },
    result: nothing,
    async run(call) {
      const { did, name } = await carryOut(call.instance, managedSaveRemoval(keyOf(call)));
      if (!did) throw withoutSave(managedSavePath(call.instance, name));
      return {};
    },
  }),
  procedure({
    number: 235,
    api: "virDomainSaveImageGetXMLDesc",
    args: struct({ path: text, flags: uint }),
    flags: { known: SECURE, refusedBy: "qemuDomainSaveImageGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({
      value: getSavedXml(instance, absolute(args.path), { showsSecrets: (args.flags & SECURE) !== 0 }),
    }),
  }),
];

/**
 * Returns whether the flags of a save ask for a guest that runs; undefined if for neither. Throws "usage" for
 * both.
 */
export function resumesOf(flags: number): boolean | undefined {
  const asked = onlyOneOf(
    flags,
    [SAVE.running, "VIR_DOMAIN_SAVE_RUNNING"],
    [SAVE.paused, "VIR_DOMAIN_SAVE_PAUSED"],
  );
  return asked === undefined ? undefined : asked === "first";
}

/** Returns the bytes of an optional XML document. */
export function bytesOf(xml: string | undefined): Uint8Array | undefined {
  return xml === undefined ? undefined : new TextEncoder().encode(xml);
}

/** Returns a path of the node. libvirt's clients make theirs absolute. */
export function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw invalidArgument(
    `the path of a saved domain is not absolute: ${path}`,
    "Name a file of the node by its absolute path.",
  );
}

/** qemuDomainManagedSaveRemove() of libvirt */
function withoutSave(path: string): SvirtError {
  return new SvirtError(`Failed to remove managed save file '${path}': No such file or directory`, {
    kind: "not-found",
    remedy: "Check whether the domain has one: virsh dominfo DOMAIN",
  });
}
