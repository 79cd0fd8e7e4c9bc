import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import { integer } from "../../xml/value-form.ts";
import { iothreadId } from "./iothreads.ts";

const queue = element("queue", () => ({ id: required(attribute("id", integer(0, 65_534))) }));
const thread = element("iothread", () => ({
  id: required(attribute("id", iothreadId)),
  queues: children(queue),
}));

/** Fields of a device for its I/O thread, or for several I/O threads and the queues that each serves. */
export const iothreadFields = {
  iothread: attribute("iothread", iothreadId),
  iothreads: child(element("iothreads", () => ({ threads: children(thread) }))),
};

/** Value of `iothreadFields`, with the device's number of queues. */
export interface IothreadUse {
  readonly iothread?: number;
  readonly iothreads?: { readonly threads: readonly ValueOf<typeof thread>[] };
  readonly queues?: number;
}

/** Returns the problem of the mapping, if any. qemuDomainValidateIOThreadMappings() of libvirt */
export function iothreadProblem(use: IothreadUse, known: ReadonlySet<number>): string | undefined {
  const { iothread, iothreads, queues = 0 } = use;
  if (iothread !== undefined && iothreads !== undefined) return "iothread and <iothreads> exclude each other";
  const threads = iothreads?.threads ?? [];
  const ids = [...(iothread === undefined ? [] : [iothread]), ...threads.map(({ id }) => id)];
  const missing = ids.find((id) => !known.has(id));
  if (missing !== undefined) return `the guest has no I/O thread ${missing}`;
  if (new Set(ids).size !== ids.length) return "a thread is listed twice";
  const mapped = threads.flatMap((found) => found.queues.map(({ id }) => id));
  if (mapped.length === 0) return undefined;
  if (threads.some((found) => found.queues.length === 0)) return "only some threads have queues";
  const wanted = new Set([...Array(queues).keys()]);
  const isWhole = mapped.length === wanted.size && mapped.every((id) => wanted.delete(id));
  return isWhole ? undefined : `it must map each of ${queues} queues once`;
}
