import { parseDomainText } from "../../domain/document.ts";
import { decideThreads } from "../../plan/decide/threads.ts";
import { nameThread } from "../../plan/facts/describe-limits.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Returns the steps that place the threads of virtual CPUs and I/O threads added to a running guest; `xml`
 * has them.
 */
export function tuneNewThreads(
  instance: Instance,
  { steps, uuid, xml: before }: GuestRecord,
  xml: string,
): readonly Step[] {
  const made = steps.find((step) => step.do === "make-group");
  const group = made?.do === "make-group" ? made.group : undefined;
  const known = new Set(decideThreads(parseDomainText(before), group).map(nameThread));
  const settings = decideThreads(parseDomainText(xml), group).filter(
    (options) => !known.has(nameThread(options)),
  );
  const { monitor } = guestPaths(instance.paths, uuid);
  // The threads end with their vCPUs or objects, so there is nothing to undo.
  return settings.length === 0 ? [] : [{ do: "tune-threads", monitor, settings, before: [] }];
}
