import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { listTunables, type Tunable } from "../../domain/edits/tunables.ts";
import { SvirtError } from "../../errors.ts";
import { listChangedLimits } from "../../plan/decide/cgroup-change.ts";
import { decideThreads } from "../../plan/decide/threads.ts";
import { describeThreadSettings } from "../../plan/facts/describe-limits.ts";
import type { GuestGroup, ThreadSettings } from "../../plan/facts/limits.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { listOnlineProcessors } from "../../report/host-processors.ts";
import { decideLimits } from "../../resolve/host/limits.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { noteDomain } from "../../state/reports/domain-notes.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import type { DecidedChange } from "../change/change-guest.ts";

/** Change of a domain's limits and pins on the host's resources. */
export interface TuningChange {
  /** Description for the operator, such as `pin vcpu 0`. */
  readonly what: string;
  change(domain: Domain): Domain;
  /** Change of the running guest's XML, if it differs. */
  changeLive?(domain: Domain): Domain;
}

/**
 * Changes the limits and pins of a running guest, of a definition, or of both. Throws for resources that the
 * host lacks.
 */
export async function changeShares(
  instance: Instance,
  ask: Ask,
  { change, changeLive = change, what }: TuningChange,
): Promise<Changed> {
  let tuned: Parameters<typeof noteTuning>[1] | undefined;
  const decide = (guest: GuestRecord): DecidedChange => {
    const decided = decideShares(instance, guest, changeLive);
    const [before, after] = [parseDomainText(guest.xml), parseDomainText(decided.xml)];
    tuned = { guest, parameters: listTunables(before, after, [...listOnlineProcessors(instance.host)]) };
    return decided;
  };
  const changed = await changeDomain(instance, ask, { live: { what, decide }, config: change });
  if (tuned !== undefined && !ask.isDryRun) await noteTuning(instance, tuned);
  return changed;
}

/** Notes changed limits or pins of a running guest, for clients that wait for events. */
export async function noteTuning(
  instance: Instance,
  { guest, parameters }: { readonly guest: GuestRecord; readonly parameters: readonly Tunable[] },
): Promise<void> {
  if (parameters.length === 0) return;
  await noteDomain(instance, guest, { report: "tunable", parameters: [...parameters] });
}

function decideShares(
  instance: Instance,
  record: GuestRecord,
  change: TuningChange["change"],
): DecidedChange {
  const before = parseDomainText(record.xml);
  // Parsed again for its refusals: numbers out of range, and contradictions.
  const xml = formatDomain(change(before));
  const after = parseDomainText(xml);
  const [was, is] = [decideLimits(instance, before), decideLimits(instance, after)];
  return {
    steps: [
      ...limitSteps(instance, record, [was.group, is.group]),
      ...tuneSteps(instance, record, [before, after]),
    ],
    after: [],
    xml,
  };
}

/** File with the host's NUMA nodes. Documentation/admin-guide/cgroup-v2.rst of Linux */
const ALL_NODES = "/sys/fs/cgroup/cpuset.mems.effective";

function limitSteps(
  { host }: Instance,
  record: GuestRecord,
  [was, is]: readonly [GuestGroup | undefined, GuestGroup | undefined],
): readonly Step[] {
  const made = record.steps.find((step) => step.do === "make-group");
  const none: GuestGroup = { path: "", controllers: [], values: [], threads: [] };
  const limits = listChangedLimits(was ?? none, is ?? none, host.readText(ALL_NODES)?.trim() ?? "0");
  if (limits === undefined) {
    throw cannot("it was started without control groups for its threads");
  }
  if (limits.length === 0) return [];
  if (made?.do !== "make-group") throw cannot("it was started without a control group");
  const controllers = is?.controllers ?? [];
  return [{ do: "set-limits", group: made.group.path, controllers, limits }];
}

function cannot(why: string): SvirtError {
  return new SvirtError(`Operation not supported: the running guest cannot get that limit: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Change the definition for the next start: --config",
  });
}

/** Returns the steps for threads whose processors change. A thread without a pin may run on any processor. */
function tuneSteps(
  instance: Instance,
  { uuid }: GuestRecord,
  [before, after]: readonly [Domain, Domain],
): readonly Step[] {
  const online = [...listOnlineProcessors(instance.host)];
  const pinsOf = (domain: Domain): Map<string, ThreadSettings> =>
    new Map(
      decideThreads(
        { ...domain, vcpu: { count: 1, ...domain.vcpu, cpuset: domain.vcpu?.cpuset ?? online } },
        undefined,
      ).map(({ scheduler: _, ...options }) => [`${options.thread} ${options.number}`, options]),
    );
  const [was, is] = [pinsOf(before), pinsOf(after)];
  const changed = [...is].flatMap(([key, options]) => {
    const old = was.get(key);
    return old === undefined || describeThreadSettings(old) === describeThreadSettings(options)
      ? []
      : [{ old, options }];
  });
  if (changed.length === 0) return [];
  return [
    {
      do: "tune-threads",
      monitor: guestPaths(instance.paths, uuid).monitor,
      settings: changed.map(({ options }) => options),
      before: changed.map(({ old }) => old),
    },
  ];
}
